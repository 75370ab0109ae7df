"""What is left to submit of one run, what each stage waits for, and what is left out for which reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from layerscope.config.resources import Resources
from layerscope.launch.slurm.job_ids import array_of
from layerscope.launch.states.stage_states import StageState
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES

CORRESPONDING = "aftercorr"
ENDED = "afterany"

_GOES_ON_BY_ITSELF = ("queued", "running")


@dataclass(frozen=True)
class Step:
    """One stage that is to be submitted.

    Parameters
    ----------
    kind : str
        How it waits: ``aftercorr`` (success of the task of the same index), ``afterany`` (end of all tasks),
        "" for not at all.
    after : str
        The stage of the same submission that it waits for; "" for none.
    job : str
        The id of the array, submitted before, that it waits for; "" for none.
    """

    stage: str
    resources: Resources
    kind: str = ""
    after: str = ""
    job: str = ""


@dataclass(frozen=True)
class Left:
    """A stage that was asked for, is not done, and is not submitted."""

    run: RunFolder
    stage: str
    reason: str


@dataclass(frozen=True)
class Route:
    """What is submitted of a run, and what is not.

    Parameters
    ----------
    index : int or None
        Slurm's index of the task that the first step waits for, if there is one.
    """

    run: RunFolder
    steps: tuple[Step, ...] = ()
    left: tuple[Left, ...] = ()
    index: int | None = None


@dataclass(frozen=True)
class _Outlook:
    """Whether the results of a stage are there, will come (by a job or a new submission), or will not."""

    stage: str
    job: str = ""
    submitted: bool = False
    missing: str = ""


def route(run: RunFolder, states: Mapping[str, StageState], wanted: Collection[str]) -> Route:
    """What is to be submitted of ``run``.

    What is done, queued or running is not, unless it waits for something that has to be submitted again. A
    stage that failed would fail again: it needs ``--retry``. What was stopped, lost, cancelled or ran out of
    time is.
    """
    outlooks: dict[str, _Outlook] = {}
    steps: list[Step] = []
    left: list[Left] = []
    index = None
    for stage in STAGES:
        before = _before(stage, outlooks, wanted)
        now = outlooks[stage] = _outlook(stage, states[stage], before, wanted)
        if now.submitted:
            index = index if steps else index_of(before.job)
            steps.append(_step(run, stage, before))
        elif now.missing and stage in wanted and states[stage].state not in _GOES_ON_BY_ITSELF:
            left.append(Left(run, stage, _reason(states[stage], now)))
    return Route(run, tuple(steps), tuple(left), index)


def left_out(
    runs: Iterable[RunFolder], stages: Collection[str], states: Iterable[Mapping[str, StageState]]
) -> list[Left]:
    """What was asked for and is neither done nor on its way nor to be submitted, with the reason."""
    routes = (route(run, state, stages) for run, state in zip(runs, states, strict=True))
    return [left for one in routes for left in one.left]


def index_of(job: str) -> int | None:
    """The index of a task in its array; None for a job that is no task of an array."""
    index = job.partition("_")[2]
    return int(index) if index.isdigit() else None


def _before(stage: str, outlooks: Mapping[str, _Outlook], wanted: Collection[str]) -> _Outlook:
    """How it stands with what ``stage`` works on; figures need no tables that nobody asks for."""
    if stage == "train":
        return _Outlook("")
    if stage == "plot" and ("measure" in wanted or not outlooks["measure"].missing):
        return outlooks["measure"]
    return outlooks["train"]


def _outlook(stage: str, state: StageState, before: _Outlook, wanted: Collection[str]) -> _Outlook:
    if state.state == "done":
        return _Outlook(stage)
    if state.state == "queued" and before.submitted and stage in wanted:
        return _Outlook(
            stage, submitted=True
        )  # its job waits for one that is no more; it leaves it to the new one
    if state.state in _GOES_ON_BY_ITSELF:
        return _Outlook(stage, job=state.job, missing="" if state.job else "runs outside Slurm")
    if state.state == "failed":
        return _Outlook(stage, missing="failed")
    if before.missing:
        return _Outlook(stage, missing=f"waits for {before.stage}, which {before.missing}")
    if stage not in wanted:
        return _Outlook(stage, missing="is not done")
    return _Outlook(stage, submitted=True)


def _reason(state: StageState, outlook: _Outlook) -> str:
    return f"failed: {state.reason}" if state.state == "failed" else outlook.missing


def _step(run: RunFolder, stage: str, before: _Outlook) -> Step:
    resources = run.config.slurm.for_stage(stage)
    kind = ENDED if stage == "plot" else CORRESPONDING
    if before.submitted:
        return Step(stage, resources, kind, after=before.stage)
    if before.job:
        known = index_of(before.job) is not None
        return Step(stage, resources, kind if known else ENDED, job=array_of(before.job))
    return Step(stage, resources)
