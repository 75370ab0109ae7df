"""What the end of one stage means for those that build on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from layerscope.heartbeat import this_worker
from layerscope.run_folder import RunFolder
from layerscope.status import StageStatus, block


def why_not_done(run: RunFolder, stage: str) -> str:
    """What was last said about a stage that is not done, in a few words."""
    status = run.status(stage).read()
    if status is None or status.state in ("new", "done"):
        return f"{stage} is not done"
    return f"{stage} is not done ({status.state}" + (f": {status.reason})" if status.reason else ")")


def block_after(run: RunFolder, stage: str, stages: Sequence[str]) -> None:
    """Say of all ``stages`` after ``stage``, which is not done, that they cannot begin."""
    reason = why_not_done(run, stage)
    for later in stages[stages.index(stage) + 1 :]:
        block(run.status(later), reason)


def told_here(run: RunFolder, stage: str) -> StageStatus | None:
    """What was said of a stage, if it was this process that said it."""
    status, me = run.status(stage).read(), this_worker()
    return status if status is not None and (status.pid, status.host) == (me.pid, me.host) else None


def retell(run: RunFolder, stages: Sequence[str], reason: str) -> None:
    """Give the stage that failed in this process a better reason."""
    for stage in stages:
        status = told_here(run, stage)
        if status is not None and status.state == "failed" and status.reason != reason:
            run.status(stage).write(replace(status, reason=reason))
            block_after(run, stage, stages)
