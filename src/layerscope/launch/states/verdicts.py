"""How a stage really stands, from what was last said about it, Slurm's queue, and Slurm's accounting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from layerscope.heartbeat import FRESH_SECONDS, is_process, this_worker
from layerscope.launch.slurm.queue import AccountingEntry, QueueEntry
from layerscope.status import StageStatus

Verdict = tuple[str, str]
"""A state and its reason."""

UNDECIDED = ("queued", "running", "stopped")
"""States that a stage may have left without being able to say so."""

_SUBMITTING_SECONDS = 300.0
"""Between "queued" and the job's id lies sbatch; who takes longer was killed in between."""

_FORGOTTEN_SECONDS = 3600.0
"""A process of this number that has been silent for so long is another one."""

_NEVER = "DependencyNeverSatisfied"
_NOT_DONE = ("failed", "timed-out", "lost", "cancelled", "stopped", "blocked")

_WAITS = {
    "": "",
    "Dependency": "waits for the stage before",
    "BeginTime": "was requeued; Slurm lets it wait for two minutes",
    "JobArrayTaskLimit": "waits for others of its array (Slurm.array-parallelism)",
}

_ENDS: dict[str, Verdict] = {
    "CANCELLED": ("cancelled", "its job was cancelled"),
    "TIMEOUT": ("timed-out", "its time was over before it could save (Slurm.timeout, Slurm.signal-seconds)"),
    "DEADLINE": ("timed-out", "its job's deadline passed"),
    "OUT_OF_MEMORY": ("lost", "its job ran out of memory; raise Slurm.mem"),
    "NODE_FAIL": ("lost", "its node failed"),
    "BOOT_FAIL": ("lost", "its node failed to start"),
    "PREEMPTED": ("lost", "it was preempted and not requeued (Slurm.requeue)"),
}


@dataclass(frozen=True)
class Evidence:
    """What Slurm says.

    Parameters
    ----------
    queue : mapping or None
        What waits or runs; None when there is no Slurm to ask.
    accounts : mapping
        What became of jobs that left the queue, as far as known.
    """

    queue: Mapping[str, QueueEntry] | None
    accounts: Mapping[str, AccountingEntry] = field(default_factory=dict)

    def verdict(self, status: StageStatus, age: float, before: Verdict) -> Verdict:
        """How a stage stands that is not done.

        Parameters
        ----------
        status : StageStatus
            What was last said.
        age : float
            Seconds since then, or since the last heartbeat.
        before : pair
            How the stage before stands.
        """
        if status.state == "done":
            return "new", "was done with other settings, or its files are gone"
        if status.state not in UNDECIDED:
            return status.state, status.reason
        if not status.job:
            return _without_job(status, age)
        if self.queue is None:
            return _by_heartbeat(status, age)
        entry = self.queue.get(status.job)
        return self._gone(status, before) if entry is None else _in_queue(entry, status, before)

    def _gone(self, status: StageStatus, before: Verdict) -> Verdict:
        """A stage whose job is in the queue no more."""
        account = self.accounts.get(status.job)
        if status.state == "stopped":
            return "stopped", status.reason
        cancelled = account is not None and account.state == before[0].upper() == "CANCELLED"
        if status.state == "queued" and before[0] in _NOT_DONE and not cancelled:
            return "blocked", f"the stage before {_is(before)}"  # Slurm cancels what waited for it
        if account is not None and account.state in _ENDS:
            return _ENDS[account.state]
        if account is not None:
            return "lost", f"its job is over ({_how(account)}) and said nothing"
        if status.state == "queued":
            return "lost", f"job {status.job} left the queue without starting it"
        return "lost", f"job {status.job} is gone and said nothing"


def _in_queue(entry: QueueEntry, status: StageStatus, before: Verdict) -> Verdict:
    if entry.state != "PENDING":
        return "running", status.reason if status.state == "running" else f"starts on {entry.node}"
    if entry.reason == _NEVER:
        return "blocked", f"the stage before {_is(before)}" if before[0] in _NOT_DONE else _NEVER
    return "queued", _WAITS.get(entry.reason, entry.reason)


def _without_job(status: StageStatus, age: float) -> Verdict:
    """A stage of a local process, or one on its way to sbatch."""
    if status.state == "stopped":
        return "stopped", status.reason
    if status.state == "queued":
        on_its_way = age <= _SUBMITTING_SECONDS
        return ("queued", "is being submitted") if on_its_way else ("lost", "its submission was broken off")
    if status.host != this_worker().host:
        return _by_heartbeat(status, age)
    lives = is_process(status.pid) and age <= _FORGOTTEN_SECONDS
    return ("running", "") if lives else ("lost", f"process {status.pid} is gone and said nothing")


def _by_heartbeat(status: StageStatus, age: float) -> Verdict:
    if status.state != "running":
        return status.state, status.reason
    if age <= FRESH_SECONDS:
        return "running", ""
    silence = timedelta(seconds=round(age))
    return "lost", f"no sign of life from {status.host} for {silence}"


def _is(before: Verdict) -> str:
    state, _ = before
    words = {"failed": "failed", "timed-out": "ran out of time", "stopped": "was stopped"}
    return words.get(state, f"is {state}")


def _how(account: AccountingEntry) -> str:
    if account.signal:
        return f"{account.state}, killed by signal {account.signal}"
    return f"{account.state}, exit code {account.exit_code}" if account.exit_code else account.state
