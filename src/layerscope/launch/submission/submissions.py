"""What was submitted: when, by whom, as which jobs. One file each in ``<base>/jobs/submissions``."""

from __future__ import annotations

import getpass
import json
import socket
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from layerscope.files import write_json
from layerscope.launch.arrays.routes import Left
from layerscope.launch.submission.array_folder import JOBS
from layerscope.provenance import now

FOLDER = "submissions"


@dataclass(frozen=True)
class SubmittedArray:
    """Jobs that Slurm took.

    Parameters
    ----------
    job : str
        The id of the array; its tasks are ``<job>_<index>``.
    tasks, runs : int
        How many jobs, and how many runs they work on.
    after : str
        What it waits for, as sbatch takes it; "" for nothing.
    folder : str
        Its subfolder of ``<base>/jobs``.
    """

    job: str
    name: str
    stage: str
    tasks: int
    runs: int
    after: str
    folder: str

    def __str__(self) -> str:
        return f"{self.job} {self.name} ({self.tasks} job{'s' if self.tasks != 1 else ''})"


@dataclass
class Submission:
    """One call of :func:`submit`.

    Parameters
    ----------
    base : Path
        The folder that all its runs lie in.
    code, digest : str
        The code that the jobs run.
    arrays : list of SubmittedArray
        In the order in which they were submitted.
    left : sequence of Left
        What is not done and was not submitted.
    """

    base: Path
    code: str = ""
    digest: str = ""
    arrays: list[SubmittedArray] = field(default_factory=list)
    left: Sequence[Left] = ()
    time: str = field(default_factory=now)
    path: Path | None = None

    @property
    def jobs(self) -> list[str]:
        """The ids of the arrays."""
        return [array.job for array in self.arrays]

    def add(self, array: SubmittedArray) -> None:
        """Note an array as soon as Slurm took it."""
        self.arrays.append(array)
        self.path = self.path or _new_path(self.base)
        write_json(self.path, self._record())

    def _record(self) -> dict[str, Any]:
        return {
            "time": self.time,
            "user": _user(),
            "host": socket.gethostname(),
            "command": sys.argv,
            "code": self.code,
            "digest": self.digest,
            "arrays": [asdict(array) for array in self.arrays],
        }


def read_submissions(base: Path) -> list[dict[str, Any]]:
    """The records of all submissions of the runs in ``base``, oldest first."""
    return [json.loads(path.read_bytes()) for path in sorted((base / JOBS / FOLDER).glob("*.json"))]


def _new_path(base: Path) -> Path:
    stamp = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
    folder = base / JOBS / FOLDER
    names = (f"{stamp}{'' if number == 1 else f'-{number}'}.json" for number in range(1, 10_000))
    return next(folder / name for name in names if not (folder / name).exists())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id, as in containers
        return ""
