"""An array of jobs, and what it waits for."""

from __future__ import annotations

from dataclasses import dataclass

from layerscope.config.resources import Resources
from layerscope.run_folder import RunFolder


@dataclass(frozen=True)
class After:
    """What an array waits for.

    Parameters
    ----------
    kind : str
        ``aftercorr``: each task for the success of the task of the same index; ``afterany``: all tasks for
        the end of all tasks, whatever came of them.
    array : int or None
        The position of the other array in the plan.
    job : str
        The id of an array that was submitted before; "" when ``array`` says.
    """

    kind: str
    array: int | None = None
    job: str = ""


@dataclass(frozen=True)
class Array:
    """Jobs that are submitted at once.

    Parameters
    ----------
    tasks : tuple of tuple of RunFolder
        One job each; the runs of a job work side by side.
    resources : Resources
        Of a single run.
    indices : tuple of int
        Slurm's index of each task; those of corresponding tasks of different stages are equal.
    after : tuple of After
        All of them have to be satisfied.
    parallelism : int or None
        Tasks at once; None: as many as the cluster lets.
    """

    stage: str
    tasks: tuple[tuple[RunFolder, ...], ...]
    resources: Resources
    name: str
    indices: tuple[int, ...]
    after: tuple[After, ...] = ()
    parallelism: int | None = None

    @property
    def runs(self) -> tuple[RunFolder, ...]:
        """The runs of all tasks."""
        return tuple(run for task in self.tasks for run in task)

    @property
    def width(self) -> int:
        """The most runs that share a job."""
        return max(map(len, self.tasks))
