"""How a stage of a run stands: one small file per stage, written by whoever knows, read by all."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from layerscope.errors import Blocked, LayerscopeError, Stopped, StorageError
from layerscope.files import write_atomic
from layerscope.heartbeat import beat, beating, this_worker
from layerscope.provenance import now

STAGES = ("train", "measure", "plot")
STATES = (
    *("new", "queued", "running", "stopped", "done"),
    *("failed", "timed-out", "lost", "blocked", "cancelled"),
)
FOLDER = "status"
NOTHING_FINISHED = -1


@dataclass(frozen=True)
class StageStatus:
    """What was last said about a stage.

    Parameters
    ----------
    state : str
        One of ``STATES``; "stopped": a signal ended it after saving, it goes on when started again.
    reason : str
        Why it is not done, for a person.
    job : str
        Slurm's id (``123_4``), "" for a process that no Slurm started.
    attempt : int
        How often it was started.
    key : str
        What it was made from when it became done (see :meth:`RunFolder.stage_key`).
    queued, started, ended : str
        Times in ISO 8601.
    progress : int
        The last epoch that was finished when this attempt began; -1 when none was.
    """

    state: str
    reason: str = ""
    job: str = ""
    host: str = ""
    pid: int = 0
    attempt: int = 0
    key: str = ""
    queued: str = ""
    started: str = ""
    ended: str = ""
    progress: int = NOTHING_FINISHED


_FIELDS = frozenset(field.name for field in fields(StageStatus))  # a later version may write more


class StatusFile:
    """The file ``status/<stage>.json`` of a run's folder.

    Parameters
    ----------
    folder : Path
        The run's folder.
    stage : str
    """

    def __init__(self, folder: Path, stage: str) -> None:
        self.path = Path(folder, FOLDER, f"{stage}.json")  # at once: --status makes thousands

    def read(self) -> StageStatus | None:
        """What was last said; None when nothing was, or when it cannot be understood."""
        try:
            return _status(json.loads(self.path.read_bytes()))
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def write(self, status: StageStatus) -> None:
        """Replace what was said, in one step; a power cut may take it back, a kill may not."""
        write_atomic(self.path, json.dumps(vars(status)) + "\n", durable=False)

    def heartbeat(self) -> None:
        """Say that the process that wrote it still works."""
        beat(self.path)

    def age(self) -> float:
        """Seconds since it was written or its writer's heart beat; infinite when there is no file."""
        try:
            return max(0.0, time.time() - self.path.stat().st_mtime)
        except OSError:
            return float("inf")


def started(before: StageStatus | None, *, progress: int = NOTHING_FINISHED) -> StageStatus:
    """The status of a stage that this process begins; ``before`` is what was said of it until now."""
    before, worker = before or StageStatus("new"), this_worker()
    return StageStatus(
        "running",
        job=worker.job,
        host=worker.host,
        pid=worker.pid,
        attempt=before.attempt + 1,
        queued=before.queued,
        started=now(),
        progress=progress,
    )


@contextmanager
def recording(
    file: StatusFile, *, key: Callable[[], str], progress: int = NOTHING_FINISHED
) -> Iterator[Callable[[], None]]:
    """Keep ``file`` true of the stage that is worked on in the block.

    The block is given a function to call when there turns out to be something to do: then the stage is
    running, with a heartbeat. What ends the block, well or with an error, is the stage's end.

    Parameters
    ----------
    key : callable
        What the stage was made from; asked when the block ended well.
    progress : int
        The last finished epoch.
    """
    before = file.read()
    status = started(before, progress=progress)
    with ExitStack() as heart:

        def begin() -> None:
            file.write(status)
            heart.enter_context(beating(file.path))

        try:
            yield begin
        except BaseException as error:
            with suppress(StorageError):  # what ended the stage matters more, and may well be the full disk
                _write_end(file, status, *ending(error))
            raise
    done = replace(_ended(status, "done"), key=key())
    if file.read() != before or before is None or (before.state, before.key) != ("done", done.key):
        file.write(done)


def _write_end(file: StatusFile, status: StageStatus, state: str, reason: str) -> None:
    """Say how a stage ended; that somebody cancelled it says more than that it stopped."""
    said = file.read()
    if said is None or (state, said.state) != ("stopped", "cancelled"):
        file.write(_ended(status, state, reason))


def block(file: StatusFile, reason: str) -> None:
    """Say of a stage that was not started that it cannot be, before ``reason`` is mended."""
    before = file.read() or StageStatus("new")
    file.write(_ended(replace(started(before), attempt=before.attempt, started=""), "blocked", reason))


def _ended(status: StageStatus, state: str, reason: str = "") -> StageStatus:
    return replace(status, state=state, reason=reason, ended=now())


def ending(error: BaseException) -> tuple[str, str]:
    """The state and the reason of a stage that ``error`` ended."""
    if isinstance(error, Stopped):
        return "stopped", str(error)
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "interrupted; what was saved is intact"
    if isinstance(error, Blocked):
        return "blocked", str(error)
    if isinstance(error, LayerscopeError):
        return "failed", str(error)
    return "failed", f"{type(error).__name__}: {error}"


def _status(content: Mapping[str, Any]) -> StageStatus:
    return StageStatus(**{name: value for name, value in content.items() if name in _FIELDS})
