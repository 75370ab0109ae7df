"""The folder of one array of jobs: its work, its script, its logs, and the id that Slurm gave it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from layerscope.files import write_atomic
from layerscope.launch.arrays.workload import FILE, Workload
from layerscope.launch.slurm.commands import ask

JOBS = "jobs"
ID = "job"


class ArrayFolder:
    """A subfolder of ``<base>/jobs``.

    It is there, with its work, before sbatch is called; its file ``job`` comes after. So whoever finds the
    first without the second knows that a submission was cut short, and can ask Slurm whether it got the jobs.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, base: Path, stage: str) -> ArrayFolder:
        """A new one; its name says when and for which stage."""
        stamp = datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
        number = 0
        while True:
            number += 1
            path = base.absolute() / JOBS / (f"{stamp}-{stage}" + (f"-{number}" if number > 1 else ""))
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            return cls(path)

    @classmethod
    def unfinished(cls, base: Path) -> Iterator[ArrayFolder]:
        """Those whose submission was cut short."""
        for found in sorted((base.absolute() / JOBS).glob(f"*/{FILE}")):
            if not (found.parent / ID).exists():
                yield cls(found.parent)

    @property
    def workload(self) -> Workload:
        """What its jobs have to do."""
        return Workload.read(self.path)

    def note(self, job: str) -> None:
        """Keep the id that Slurm gave it."""
        write_atomic(self.path / ID, f"{job}\n")

    def log(self, index: int, job: str) -> Path:
        """Where Slurm and submitit write what comes before and around the work of a job."""
        return self.path / f"{job}_{index}_0_log.out"


def arrays_in_queue() -> dict[Path, str] | None:
    """Folder → id of every array of this user that Slurm knows of; None when it does not answer.

    The folder is that of the script as sbatch was given it, so no name or comment has to be our own.
    """
    answer = ask("squeue", "--me", "--noheader", "--format=%F|%o")
    if answer is None or answer.code:
        return None
    pairs = (line.strip().partition("|") for line in answer.output.splitlines())
    return {Path(script).parent: job for job, _, script in pairs if script}
