"""What the jobs of one array have to do: a small file, written before they are submitted, read by each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layerscope.errors import RunFolderError
from layerscope.files import write_json
from layerscope.launch.arrays.array import Array

FILE = "array.json"
STARTED_VARIABLE = "LAYERSCOPE_STARTED"
"""Environment variable of a job: when it started, in seconds of the epoch."""


@dataclass(frozen=True)
class Workload:
    """The work of an array. Paths and numbers only: where a run goes on is found on disk when its job starts.

    Parameters
    ----------
    tasks : mapping
        Slurm's index → the folders of the runs that its job works on, side by side.
    timeout_min, signal_seconds : int
        The time limit, and how long before it the jobs are told to save.
    gpus_per_run : int
        0: none.
    requeue : bool
        Whether a job that was told to stop asks to be started again.
    code, digest : str
        The folder of the code that was submitted, and what it has to hold.
    """

    stage: str
    tasks: Mapping[int, tuple[str, ...]]
    timeout_min: int
    signal_seconds: int
    gpus_per_run: int
    requeue: bool
    code: str
    digest: str

    @classmethod
    def of(cls, array: Array, code: Path, digest: str) -> Workload:
        """The work of ``array``, done by the code in ``code``."""
        folders = [tuple(str(run.folder.absolute()) for run in task) for task in array.tasks]
        asked = array.resources
        return cls(
            array.stage,
            dict(zip(array.indices, folders, strict=True)),
            asked.timeout_min,
            asked.signal_seconds,
            asked.gpus_per_run,
            asked.requeue,
            str(code.absolute()),
            digest,
        )

    @classmethod
    def read(cls, folder: Path) -> Workload:
        """The work of the array whose folder this is.

        Raises
        ------
        RunFolderError
            The folder holds no such file, or a broken one.
        """
        path = folder / FILE
        try:
            content = json.loads(path.read_bytes())
            return cls(**{**content, "tasks": _tasks(content["tasks"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RunFolderError(f"{path} does not say what to do: {error}. Submit again.") from error

    def write(self, folder: Path) -> None:
        """Put it in the folder of its array."""
        write_json(folder / FILE, asdict(self))


def _tasks(content: Mapping[str, Any]) -> dict[int, tuple[str, ...]]:
    return {int(index): tuple(folders) for index, folders in content.items()}
