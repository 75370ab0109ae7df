"""The local queue: runs as worker processes on this machine, a few at a time."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import dropwhile
from types import FrameType
from typing import Any, Literal

from layerscope.errors import LayerscopeError, UsageError
from layerscope.launch.local.finished import Finished
from layerscope.launch.local.slots import MASK, Slots, cores, visible_gpus
from layerscope.launch.workers.child import Child, Work
from layerscope.launch.workers.children import POLL_SECONDS, Children
from layerscope.launch.workers.ending import Ending
from layerscope.launch.workers.forked import ready_to_draw
from layerscope.run import chosen_stages
from layerscope.run_folder import RunFolder

THREADS = "OMP_NUM_THREADS"
GRACE_SECONDS = 30.0
REPEATED_SECONDS = 1.0
"""Some programs pass on the Ctrl-C that the terminal has sent already: so soon, it is not a second one."""

Watch = Callable[[Finished], None]


def run_queue(
    runs: Sequence[RunFolder],
    stages: Iterable[str],
    *,
    workers: int | Literal["auto"] = "auto",
    device: str = "auto",
    watch: Watch = lambda _: None,
) -> list[Finished]:
    """Bring runs to their end in worker processes, so many at a time; a run that fails stops no other.

    On Ctrl-C the workers save and end; the second one kills them.

    Parameters
    ----------
    workers : int or "auto"
        "auto": one for each visible GPU, times ``Slurm.runs-per-job``; without GPUs one for two cores.
    watch : callable
        Told of each run when it has ended.

    Raises
    ------
    UsageError
        A run needs more GPUs than there are.
    KeyboardInterrupt
        After Ctrl-C, when all workers have ended.
    """
    wanted, gpus = chosen_stages(stages), visible_gpus(device)
    count = _default_count(runs, gpus) if workers == "auto" else workers
    for run in runs:
        _check_fits(run, wanted, gpus, count)
    queue = _Queue(runs, wanted, Slots(gpus, count), device.partition(":")[0], watch)
    queue.work()
    return queue.finished


def _default_count(runs: Sequence[RunFolder], gpus: Sequence[str]) -> int:
    if not gpus:
        return max(1, cores() // 2)
    return len(gpus) * max((run.config.slurm.runs_per_job for run in runs), default=1)


def _check_fits(run: RunFolder, stages: Sequence[str], gpus: Sequence[str], workers: int) -> None:
    wanted = _gpus_of(run, stages)
    if gpus and wanted > min(len(gpus), workers):
        raise UsageError(
            f"{run.name} asks for {wanted} GPUs (Slurm.gpus-per-run); there are {len(gpus)} for {workers} "
            f"workers. Set it to at most {min(len(gpus), workers)}, or allow more workers."
        )


def _gpus_of(run: RunFolder, stages: Sequence[str]) -> int:
    return max(run.config.slurm.for_stage(stage).gpus_per_run for stage in stages)


@dataclass(frozen=True)
class _Started:
    """A run that a worker is busy with."""

    run: RunFolder
    places: tuple[str, ...]
    stages: tuple[str, ...]
    seconds: float


class _Queue:
    """Runs that wait, and those that workers are busy with."""

    def __init__(
        self, runs: Sequence[RunFolder], stages: Sequence[str], slots: Slots, device: str, watch: Watch
    ) -> None:
        self.finished: list[Finished] = []
        self._waiting = deque(runs)
        self._total = len(runs)
        self._stages = stages
        self._slots = slots
        self._device = device
        self._watch = watch
        self._children = Children()
        self._started: dict[Child, _Started] = {}
        self._noted = 0
        self._stopping = False

    def work(self) -> None:
        """Start what fits, until all have ended or Ctrl-C is pressed; leave no process behind."""
        with _interrupts() as interrupts:
            try:
                while self._waiting or self._children.living:
                    self._heed(interrupts)
                    self._start_what_fits()
                    self._note_ends()
                    if self._children.living:
                        time.sleep(POLL_SECONDS)
            finally:
                self._children.stop(GRACE_SECONDS)
        if interrupts:
            raise KeyboardInterrupt

    def _heed(self, interrupts: Sequence[float]) -> None:
        if not interrupts:
            return
        if not self._stopping:
            self._stopping = True
            self._waiting.clear()
            self._children.ask_to_stop()
        if interrupts[-1] - interrupts[0] >= REPEATED_SECONDS:
            self._children.kill()

    def _start_what_fits(self) -> None:
        while self._waiting and not self._slots.full:
            run = self._waiting[0]
            stages = tuple(dropwhile(run.done, self._stages))
            places = self._slots.take(_gpus_of(run, stages)) if stages else ()
            if places is None:
                return
            self._waiting.popleft()
            self._begin(_Started(run, places, stages, time.monotonic()))

    def _begin(self, started: _Started) -> None:
        """Start a worker for a run, unless nothing is left to do of it."""
        run = started.run
        if not started.stages:
            self._tell(run, "done")
            return
        try:
            run.claim_config()
            child = self._children.start(self._work_of(started))
        except LayerscopeError as error:
            self._slots.give_back(started.places)
            self._tell(run, "failed", stage=started.stages[0], reason=str(error))
        else:
            self._started[child] = started

    def _work_of(self, started: _Started) -> Work:
        wanted = _gpus_of(started.run, started.stages)
        ranks = max(1, wanted) if self._slots.gpus else 1
        environment = {} if THREADS in os.environ else {THREADS: str(max(1, cores() // self._slots.count))}
        if self._slots.gpus:
            environment = {MASK: ",".join(started.places) if wanted else ""}
        return Work(
            started.run,
            started.stages,
            self._device,
            ranks=ranks,
            environment=environment,
            forked=started.stages == ("plot",) and ranks == 1 and self._may_fork,
        )

    @cached_property
    def _may_fork(self) -> bool:
        """Whether what only has to be drawn is drawn by forks of this process; not worth it for one run."""
        return self._total > 1 and ready_to_draw()

    def _note_ends(self) -> None:
        self._children.look()
        endings = self._children.endings
        while self._noted < len(endings):
            self._noted += 1
            self._note_end(endings[self._noted - 1])

    def _note_end(self, ending: Ending) -> None:
        started = self._started.pop(ending.child)
        self._slots.give_back(started.places)
        stages = started.stages
        self._tell(
            started.run,
            ending.state,
            worked=stages[: stages.index(ending.stage)] if ending.stage else stages,
            stage=ending.stage,
            reason=ending.reason,
            log=ending.child.log,
            seconds=time.monotonic() - started.seconds,
        )

    def _tell(self, run: RunFolder, state: str, **what: Any) -> None:
        finished = Finished(run, len(self.finished) + 1, self._total, state, **what)
        self.finished.append(finished)
        self._watch(finished)


@contextlib.contextmanager
def _interrupts() -> Iterator[list[float]]:
    """The moments of every Ctrl-C and SIGTERM within the block, which are noted instead of raised."""
    moments: list[float] = []
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread alone
        yield moments
        return

    def note(number: int, frame: FrameType | None) -> None:
        moments.append(time.monotonic())

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield moments
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
