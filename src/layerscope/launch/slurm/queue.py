"""What Slurm says: its queue, its accounting, its limits; and taking jobs out of the queue. No submitit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from layerscope.launch.errors import LaunchError
from layerscope.launch.slurm.commands import ask, portions
from layerscope.launch.slurm.job_ids import array_of, collapsed, expanded

_UNKNOWN_JOB = re.compile("invalid job id|already completing or completed|already finished", re.IGNORECASE)

_USUAL_ARRAY_SIZE = 1001
"""Slurm's default of MaxArraySize."""


@dataclass(frozen=True)
class QueueEntry:
    """A job that waits or runs.

    Parameters
    ----------
    job : str
        ``123_4``, or ``123`` outside of an array.
    state : str
        Slurm's word: ``PENDING``, ``RUNNING``, ``COMPLETING``, …
    reason : str
        Why it waits: ``Resources``, ``BeginTime`` (after a requeue), ``DependencyNeverSatisfied``, …
    node : str
        Where it runs.
    """

    job: str
    state: str
    reason: str = ""
    node: str = ""


@dataclass(frozen=True)
class AccountingEntry:
    """The newest attempt of a job, as Slurm's accounting has it.

    Parameters
    ----------
    state : str
        Slurm's word: ``COMPLETED``, ``FAILED``, ``TIMEOUT``, ``OUT_OF_MEMORY``, ``CANCELLED``, …
    exit_code, signal : int
        How its process ended.
    attempts : int
        How often it was queued: 1, and once more for every requeue.
    """

    job: str
    state: str
    exit_code: int = 0
    signal: int = 0
    node: str = ""
    attempts: int = 1


@dataclass(frozen=True)
class ClusterLimits:
    """What a cluster allows: indices of arrays below ``max_array_size``. ``known``: it said so itself."""

    max_array_size: int = _USUAL_ARRAY_SIZE
    known: bool = False


def queue_entries(jobs: Iterable[str]) -> dict[str, QueueEntry] | None:
    """Those of ``jobs`` that wait or run, by id; an array's id stands for all of its tasks.

    What is not among them has ended, or never was. None: there is no squeue, or it gives no answer.
    """
    wanted = set(jobs)
    found: dict[str, QueueEntry] = {}
    for part in portions(sorted({array_of(job) for job in wanted})):
        answer = ask("squeue", "--noheader", "--array", f"--jobs={','.join(part)}", "--format=%i|%T|%N|%r")
        if answer is None or (answer.code and not _UNKNOWN_JOB.search(answer.errors)):
            return None
        found.update((entry.job, entry) for line in answer.output.splitlines() for entry in _waiting(line))
    return {job: entry for job, entry in found.items() if job in wanted or array_of(job) in wanted}


def accounting(jobs: Iterable[str], since: str = "") -> dict[str, AccountingEntry] | None:
    """What became of ``jobs``, by id, as far as the accounting knows them.

    Parameters
    ----------
    since : str
        A time (ISO 8601) before which none of them was submitted. Ids are used again after years, and
        sacct by itself looks no further back than midnight.

    Returns
    -------
    dict or None
        None: there is no accounting, or it gives no answer.
    """
    wanted = set(jobs)
    found: dict[str, AccountingEntry] = {}
    for part in portions(sorted({array_of(job) for job in wanted})):
        answer = ask(
            *("sacct", "--noheader", "--parsable2", "--allocations", "--duplicates"),
            *(f"--starttime={_local(since)}", f"--jobs={','.join(part)}"),
            "--format=JobID,State,ExitCode,NodeList",
        )
        if answer is None or answer.code:
            return None
        for line in answer.output.splitlines():
            _account(line, found)
    return {job: entry for job, entry in found.items() if job in wanted or array_of(job) in wanted}


def limits() -> ClusterLimits:
    """How long an array may be; Slurm's default where there is no Slurm to ask."""
    answer = ask("scontrol", "show", "config")
    size = re.search(r"^MaxArraySize\s*=\s*(\d+)", answer.output if answer else "", re.MULTILINE)
    return ClusterLimits(max(1, int(size[1])), known=True) if size else ClusterLimits()


def cancel(jobs: Iterable[str]) -> None:
    """Take jobs, tasks, or whole arrays out of the queue, and end those that run. Ended ones are no mistake.

    Raises
    ------
    LaunchError
        Slurm refused, or gives no answer.
    """
    for part in portions(collapsed(jobs), size=100):
        answer = ask("scancel", *part, seconds=120)
        if answer is None:
            raise LaunchError("cannot cancel: scancel is not there, or gives no answer")
        refused = [line for line in answer.errors.splitlines() if line and not _UNKNOWN_JOB.search(line)]
        if answer.code and refused:
            raise LaunchError(f"Slurm did not cancel every job: {refused[0]}")


def _waiting(line: str) -> list[QueueEntry]:
    """The jobs of one line of squeue."""
    parts = line.strip().split("|", 3)
    if len(parts) < 4:
        return []
    ids, state, node, reason = parts
    told = "" if reason == "None" else reason
    return [QueueEntry(job, state, told, node) for job in expanded(ids)]


def _account(line: str, found: dict[str, AccountingEntry]) -> None:
    """Note one line of sacct. They are in order of time; a task's own line knows more than a range's."""
    parts = line.strip().split("|", 3)
    if len(parts) < 4:
        return
    ids, state, ended, node = parts
    code, _, signal = ended.partition(":")
    for job in expanded(ids):
        if job == ids or job not in found:
            before = found[job].attempts if job in found else 0
            word = state.split()[0] if state else ""  # "CANCELLED by 1000"
            where = "" if node == "None assigned" else node
            found[job] = AccountingEntry(job, word, int(code or 0), int(signal or 0), where, before + 1)


def _local(since: str) -> str:
    """The time as sacct takes it, a day early: clocks differ."""
    if not since:
        return "1971-01-01"
    moment = datetime.fromisoformat(since).astimezone() - timedelta(days=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%S")
