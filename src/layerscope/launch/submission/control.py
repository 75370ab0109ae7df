"""Submitting again what went wrong, and taking jobs out of the queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from layerscope.errors import UsageError
from layerscope.launch.slurm import queue
from layerscope.launch.states.stage_states import StageState, stage_states
from layerscope.launch.submission.submissions import Submission
from layerscope.launch.submission.submit import PATIENCE, Watch, submit
from layerscope.provenance import now
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES, StageStatus

R = TypeVar("R", bound=RunFolder)

RETRIED = ("failed", "timed-out", "lost", "cancelled", "stopped")
"""What can be tried again, by its state."""

ALL = "all"
IN_QUEUE = ("queued", "running")


@dataclass(frozen=True)
class Cancelled:
    """A stage whose job was taken out of the queue; ``companion``: it only shared the job of another."""

    run: RunFolder
    stage: str
    job: str
    companion: bool = False


def retry(
    base: Path,
    runs: Sequence[RunFolder],
    what: str,
    stages: Iterable[str] = STAGES,
    *,
    patience: float = PATIENCE,
    watch: Watch = lambda _: None,
) -> Submission:
    """Submit again those of ``runs`` of which a stage is ``what``, with the stages that come after it.

    Attempts go on being counted, the logs of earlier ones stay, and training goes on where it had saved.
    What was said of a run stays, too, until Slurm has taken a job for it.

    Parameters
    ----------
    what : str
        One of :data:`RETRIED`, or "all" of them.

    Raises
    ------
    UsageError
        ``what`` is none of these.
    """
    wanted, states = tuple(stages), chosen_states(what)
    if not gone_wrong(runs, what, wanted):
        return Submission(base)
    return submit(base, runs, wanted, again=states, patience=patience, watch=watch)


def gone_wrong(runs: Sequence[R], what: str, stages: Collection[str] = STAGES) -> list[R]:
    """Those of ``runs`` of which one of ``stages`` is ``what``."""
    states = chosen_states(what)
    pairs = zip(runs, stage_states(runs, stages), strict=True)
    return [run for run, stands in pairs if any(stands[stage].state in states for stage in stages)]


def chosen_states(what: str) -> tuple[str, ...]:
    """The states that a word of the command line means.

    Raises
    ------
    UsageError
        It is not known.
    """
    word = {"timeout": "timed-out", "canceled": "cancelled"}.get(what.lower(), what.lower())
    if word == ALL:
        return RETRIED
    if word not in RETRIED:
        raise UsageError(f"cannot retry {what!r}; it is one of {', '.join(RETRIED)} or {ALL}")
    return (word,)


def cancel(
    runs: Sequence[RunFolder], among: Sequence[RunFolder] = (), stages: Collection[str] = STAGES
) -> list[Cancelled]:
    """Take the jobs of ``runs`` out of the queue, and end those that run; what they had saved stays.

    Parameters
    ----------
    among : sequence of RunFolder
        All runs of the experiment: those that share a job with one of ``runs`` are cancelled with it.

    Returns
    -------
    list of Cancelled
        The stages that will not be worked on.

    Raises
    ------
    LaunchError
        Slurm refused.
    """
    chosen = {run.folder for run in runs}
    everyone = [*runs, *(run for run in among if run.folder not in chosen)]
    states = stage_states(everyone, stages)
    pairs = list(zip(everyone, states, strict=True))
    jobs = {one.job for run, stands in pairs if run.folder in chosen for one in _in_queue(stands.values())}
    ended = [
        Cancelled(run, stage, state.job, companion=run.folder not in chosen)
        for run, stands in pairs
        for stage, state in stands.items()
        if state in _in_queue([state]) and state.job in jobs
    ]
    if jobs:
        queue.cancel(sorted(jobs))
    for one in ended:
        _say_cancelled(one)
    return ended


def _in_queue(states: Iterable[StageState]) -> list[StageState]:
    """Those with a job that waits or runs."""
    return [state for state in states if state.state in IN_QUEUE and state.job]


def _say_cancelled(one: Cancelled) -> None:
    file = one.run.status(one.stage)
    why = "with a run that shared its job" if one.companion else "by hand"
    before = file.read() or StageStatus("new")
    file.write(replace(before, state="cancelled", reason=f"cancelled {why}", ended=now()))
