"""How the stages of many runs stand: the runs' own files, confirmed by Slurm where a job is involved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerscope.errors import DamagedFile
from layerscope.launch.slurm.queue import QueueEntry, accounting, queue_entries
from layerscope.launch.states.verdicts import UNDECIDED, Evidence, Verdict
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES, StageStatus, StatusFile

_NEW = StageStatus("new")


@dataclass(frozen=True)
class StageState:
    """How a stage stands.

    Parameters
    ----------
    state : str
        One of :data:`layerscope.status.STATES`.
    reason : str
        Why it is not done, for a person.
    job : str
        The Slurm job that works on it, or last did; "" when no job did.
    log : Path or None
        Where its newest process writes what it says; None when it was never started.
    status : StageStatus
        What was last said about it, times included.
    """

    state: str
    reason: str = ""
    job: str = ""
    log: Path | None = None
    status: StageStatus = _NEW


@dataclass(frozen=True)
class _Told:
    """What was last said about the stages of a run."""

    run: RunFolder
    files: Mapping[str, StatusFile]
    statuses: Mapping[str, StageStatus]

    @classmethod
    def by(cls, run: RunFolder) -> _Told:
        files = {stage: run.status(stage) for stage in STAGES}
        return cls(run, files, {stage: file.read() or _NEW for stage, file in files.items()})

    @property
    def jobs(self) -> set[str]:
        """The jobs of the stages that may have ended without a word."""
        return {status.job for status in self.statuses.values() if status.state in UNDECIDED} - {""}


def stage_states(
    runs: Iterable[RunFolder],
    stages: Collection[str] = STAGES,
    *,
    queue: Mapping[str, QueueEntry] | None = None,
) -> list[dict[str, StageState]]:
    """How ``stages`` stand, for each run.

    Parameters
    ----------
    queue : mapping, optional
        What Slurm's queue holds, if that is known already.
    """
    told = [_Told.by(run) for run in runs]
    jobs = _jobs(told)
    known = queue_entries(jobs) if queue is None and jobs else queue
    gone = jobs - set(known) if known is not None else set()
    if gone:  # a job that has just ended, has told its run before it left the queue
        told = [_Told.by(one.run) if one.jobs & gone else one for one in told]
        gone &= _jobs(told)
    evidence = Evidence(known, accounting(gone, _earliest(told, gone)) or {} if gone else {})
    return [_states(one, evidence, stages) for one in told]


def _jobs(told: Iterable[_Told]) -> set[str]:
    return set().union(*(one.jobs for one in told))


def _earliest(told: Sequence[_Told], jobs: Collection[str]) -> str:
    """When the first of ``jobs`` was queued, as far as it was noted."""
    statuses = (status for one in told for status in one.statuses.values() if status.job in jobs)
    return min((time for status in statuses if (time := status.queued or status.started)), default="")


def _states(told: _Told, evidence: Evidence, stages: Collection[str]) -> dict[str, StageState]:
    found: dict[str, StageState] = {}
    trained = _trained(told.run)
    before: Verdict = "done", ""
    for stage in STAGES:
        status = told.statuses[stage]
        before = _verdict(told, stage, evidence, before, trained=trained)
        log = told.run.jobs_path / f"{stage}.log" if status.attempt else None
        found[stage] = StageState(*before, status.job, log, status)
    return {stage: found[stage] for stage in stages}


def _verdict(told: _Told, stage: str, evidence: Evidence, before: Verdict, *, trained: bool) -> Verdict:
    """How a stage stands. Its files are looked at last: while a job waits or works, they change."""
    run, status = told.run, told.statuses[stage]
    if trained and status.state == "done" and status.key == run.stage_key(stage):
        return "done", ""
    age = told.files[stage].age() if status.state in UNDECIDED else 0.0
    state, reason = evidence.verdict(status, age, before)
    if trained and state not in ("queued", "running") and run.done(stage):
        return "done", ""
    return state, reason


def _trained(run: RunFolder) -> bool:
    try:
        return run.trained
    except DamagedFile:
        return False
