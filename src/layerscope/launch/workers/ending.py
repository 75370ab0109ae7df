"""How a worker ended, and the status of a run whose worker could not write it any more."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace

from layerscope.errors import Stopped
from layerscope.heartbeat import FRESH_SECONDS, this_worker
from layerscope.launch.workers.blocked import block_after
from layerscope.launch.workers.child import Child
from layerscope.launch.workers.log import last_lines
from layerscope.provenance import now
from layerscope.status import StageStatus, StatusFile, started


@dataclass(frozen=True)
class Ending:
    """How a worker ended.

    Parameters
    ----------
    state : str
        "done", "stopped" (it goes on when started again) or "failed".
    stage : str
        The one that is not done; "" when all are.
    reason : str
        Why it is not done.
    """

    child: Child
    state: str
    stage: str = ""
    reason: str = ""


def ending(child: Child, code: int) -> Ending:
    """How a child ended that left with ``code``; what it did not live to say is put into the run's status."""
    if code == 0:
        return Ending(child, "done")
    state = "stopped" if code == Stopped.exit_code or child.killed else "failed"
    stage = _unfinished(child)
    file = child.work.run.status(stage)
    status = file.read()
    own = status is not None and _is_by(child, status)
    if status is not None and own and status.state != "running":
        said = status.state if status.state in ("done", "stopped") else state  # whatever killed it afterwards
        return Ending(child, said, "" if said == "done" else stage, status.reason)
    reason = _reason(child, code)
    if own or (state == "failed" and not _is_living(file)):
        _write(child, stage, state, reason)
    return Ending(child, state, stage, reason)


def _unfinished(child: Child) -> str:
    """The stage at which a child ended."""
    stages = child.work.stages
    return next((stage for stage in stages if not child.work.run.done(stage)), stages[-1])


def _is_by(child: Child, status: StageStatus) -> bool:
    return (status.pid, status.host) == (child.pid, this_worker().host)


def _is_living(file: StatusFile) -> bool:
    """Whether somebody is at work on the stage."""
    status = file.read()
    return status is not None and status.state == "running" and file.age() <= FRESH_SECONDS


def _write(child: Child, stage: str, state: str, reason: str) -> None:
    run, stages = child.work.run, child.work.stages
    before = run.status(stage).read()
    if before is None or not _is_by(child, before):
        before = replace(started(before), pid=child.pid)
    run.status(stage).write(replace(before, state=state, reason=reason, ended=now()))
    if state == "failed":
        block_after(run, stage, stages)


def _reason(child: Child, code: int) -> str:
    if child.killed:
        return "it did not stop in time and was killed; it goes on from its newest resume point"
    if code < 0:
        hint = ": out of memory?" if -code == signal.SIGKILL else ""
        return f"killed by signal {-code} ({signal.Signals(-code).name}){hint}"
    lines, begin = last_lines(child.log, 20), f" {child.work.run.folder.name}: "
    if child.work.ranks > 1:  # the first process knows best
        lines = [line for line in lines if begin in line] or lines
    last = next(reversed(lines), f"ended with exit code {code} without a word")
    return last.partition(begin)[2] or last  # without the time
