"""One stage of one run, or of several side by side, as the work of a Slurm job."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.errors import LayerscopeError
from layerscope.heartbeat import JOB_VARIABLE
from layerscope.launch.arrays.workload import STARTED_VARIABLE, Workload
from layerscope.launch.errors import LaunchError
from layerscope.launch.slurm.queue import queue_entries
from layerscope.launch.workers.child import Work
from layerscope.launch.workers.children import Children
from layerscope.launch.workers.stopping import SIGNALS
from layerscope.provenance import now
from layerscope.run import Run
from layerscope.run_folder import RunFolder
from layerscope.status import StageStatus, StatusFile

if TYPE_CHECKING:
    from submitit.core.utils import DelayedSubmission

AFTER: dict[str, tuple[str, ...]] = {"train": (), "measure": ("train",), "plot": ("train",)}
"""What has to be done before a stage; figures are drawn of what there is, measured or not."""

STEPS = {"train": "epoch was finished", "measure": "checkpoint was measured", "plot": "figure was drawn"}

MOST_IDLE = 3
"""Time limits in a row without any progress after which a job is not started again."""

EARLY_SECONDS = 60.0
"""Slurm may send its warning so much earlier than it was asked to."""

MARGIN_SECONDS = 5.0
"""What is kept of the warning time for asking Slurm to start the job again."""


class _Concluded(BaseException):
    """Nothing is left to wait for; passes from the signal handler through whatever it interrupted."""


@dataclass
class StageTask:
    """What submitit runs in a job. It holds paths and numbers only: what is left to do is found on disk.

    Slurm's warning (USR2) reaches the workers directly, and this process through submitit's handler, which
    calls :meth:`checkpoint`. TERM, of a preemption, reaches the workers only; they save as well.

    Parameters
    ----------
    folders : tuple of str
        The runs' folders; the runs work side by side, on the same GPU.
    requeue : bool
        Whether to be started again after having been stopped.
    idle : int
        Time limits in a row, until now, in which nothing was brought forward.
    """

    stage: str
    folders: tuple[str, ...]
    timeout_min: int
    signal_seconds: int
    gpus_per_run: int
    requeue: bool
    idle: int = 0
    _children: Children = field(default_factory=Children, init=False, repr=False)
    _before: dict[str, int] = field(default_factory=dict, init=False, repr=False)
    _settled: int = field(default=0, init=False, repr=False)

    @classmethod
    def of(cls, workload: Workload, index: int) -> StageTask:
        """The task of the job at ``index`` of an array."""
        return cls(
            workload.stage,
            workload.tasks[index],
            workload.timeout_min,
            workload.signal_seconds,
            workload.gpus_per_run,
            workload.requeue,
        )

    def __call__(self) -> dict[str, str]:
        """Do what is left of the stage; how each run's attempt ended.

        Raises
        ------
        LaunchError
            None of the runs came to the end of the stage.
        """
        os.environ[JOB_VARIABLE] = this_job()
        left = self._left()
        self._before = {str(run.folder): progress(run, self.stage) for run in left}
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
            self._work(left)
        except _Concluded:
            pass
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # nothing may stop the end any more
        return self._result()

    def checkpoint(self) -> DelayedSubmission:
        """Let the runs save; the task with which the job is to be started again.

        Called by submitit in its signal handler, in the middle of :meth:`__call__`, which goes on to its end
        when there is nothing to start again.
        """
        from submitit.core.utils import DelayedSubmission

        signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # one warning is enough
        self._children.stop(self._patience())
        stopped = self._stopped()
        if not (stopped and self.requeue):
            raise _Concluded
        idle = self._idle(stopped)
        if idle >= MOST_IDLE:
            self._say(stopped, "timed-out", self._no_progress())
            raise _Concluded
        self._say(stopped, "queued", "goes on when Slurm starts its job again")
        return DelayedSubmission(replace(self, idle=idle))

    def _left(self) -> list[Run]:
        """The runs to work on; without those that failed before the job was requeued, unless all did."""
        runs = [run for folder in self.folders if (run := _opened(Path(folder), self.stage)) is not None]
        left = [run for run in runs if not (_is_of_another_job(run, self.stage) or run.done(self.stage))]
        self._settled = len(runs) - len(left)
        return [run for run in left if not _failed_in_this_job(run, self.stage)] or left

    def _work(self, runs: Sequence[Run]) -> None:
        for run in runs:
            self._children.start(self._order(run))
        self._children.wait()
        if self._stopped() and self.requeue and _still_ours(this_job()):
            signal.raise_signal(signal.SIGUSR2)  # submitit's handler asks for another start

    def _order(self, run: Run) -> Work:
        device = "cuda" if self.gpus_per_run else "cpu"
        return Work(run, (self.stage,), device, AFTER[self.stage], max(1, self.gpus_per_run))

    def _result(self) -> dict[str, str]:
        endings = self._children.endings
        if not self._settled and not any(ending.state == "done" for ending in endings):
            told = [f"{ending.child.work.run.name}: {ending.state}: {ending.reason}" for ending in endings]
            raise LaunchError("\n".join(told) or "none of the runs could be opened; their status says why")
        return {ending.child.work.run.name: ending.state for ending in endings}

    def _stopped(self) -> list[RunFolder]:
        """The runs that go on when they are started again."""
        return [ending.child.work.run for ending in self._children.endings if ending.state == "stopped"]

    def _idle(self, stopped: Sequence[RunFolder]) -> int:
        """Time limits in a row without progress, this one included; what else stops a job does not count."""
        moved = any(progress(run, self.stage) != self._before.get(str(run.folder)) for run in stopped)
        if moved:
            return 0
        return self.idle + 1 if self._time_is_over() else self.idle

    def _time_is_over(self) -> bool:
        return self._seconds_left() <= self.signal_seconds + EARLY_SECONDS

    def _seconds_left(self) -> float:
        """Seconds until the time limit."""
        started = float(os.environ.get(STARTED_VARIABLE) or "inf")
        return started + 60 * self.timeout_min - time.time()

    def _patience(self) -> float:
        """How long the runs may take to save."""
        warned = max(self.signal_seconds - MARGIN_SECONDS, self.signal_seconds / 2)
        return max(warned, self._seconds_left() - MARGIN_SECONDS) if self._time_is_over() else warned

    def _say(self, runs: Iterable[RunFolder], state: str, reason: str) -> None:
        for run in runs:
            file = run.status(self.stage)
            file.write(replace(file.read() or StageStatus("new"), state=state, reason=reason, job=this_job()))

    def _no_progress(self) -> str:
        times = f"{MOST_IDLE} times {self.timeout_min} min"
        return f"no {STEPS[self.stage]} in {times}; raise Slurm.timeout, then submit again"


def this_job() -> str:
    """The id of the Slurm job that this process belongs to."""
    array, index = (os.environ.get(f"SLURM_ARRAY_{name}_ID", "") for name in ("JOB", "TASK"))
    return f"{array}_{index}" if array else os.environ["SLURM_JOB_ID"]


def say_failed(folder: Path, stage: str, reason: str) -> None:
    """Put down in its status that a stage failed before it could begin."""
    file = StatusFile(folder, stage)
    before = file.read() or StageStatus("new")
    file.write(replace(before, state="failed", reason=reason, job=this_job(), ended=now()))


def progress(run: RunFolder, stage: str) -> int:
    """A number that changes whenever a stage has finished a part of its work and saved it."""
    folder = {"train": "checkpoints", "measure": "measurements", "plot": "plots"}[stage]
    times = (path.stat().st_mtime_ns for path in (run.folder / folder).glob("[!.]*"))
    return max(times, default=0)


def _opened(folder: Path, stage: str) -> Run | None:
    try:
        return Run.open(folder)
    except LayerscopeError as error:
        say_failed(folder, stage, str(error))
        return None


def _is_of_another_job(run: Run, stage: str) -> bool:
    """Whether the stage was submitted again since: what this job waited for had gone wrong."""
    status = run.status(stage).read()
    return status is not None and status.state in ("queued", "running") and status.job not in ("", this_job())


def _failed_in_this_job(run: Run, stage: str) -> bool:
    status = run.status(stage).read()
    return status is not None and status.state == "failed" and status.job == this_job()


def _still_ours(job: str) -> bool:
    """Whether Slurm takes the job for running: neither cancelled, nor on its way back to the queue."""
    entry = (queue_entries([job]) or {}).get(job)
    return entry is not None and entry.state == "RUNNING"
