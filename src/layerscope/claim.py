"""The right to work in a folder: one process at a time, on one host or on many.

On one host the kernel's lock decides; it ends with the process. Over hosts it may not reach, so the lock's
file also says who holds it, and a heartbeat says that they live. Where there are no locks at all, the claim
alone decides: a file that only one process can create.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from io import FileIO
from math import inf
from pathlib import Path

from layerscope.errors import RunFolderError, StorageError
from layerscope.files import storage_errors, temporary
from layerscope.heartbeat import FRESH_SECONDS, Worker, beating, is_process, this_worker

logger = logging.getLogger(__name__)

LOCK = ".lock"
CLAIM = ".claim"
POLL_SECONDS = 0.2
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process alone, until the block ends or the process dies.

    A Slurm job that was requeued takes over what its earlier self left, and anybody a claim whose holder
    showed no sign of life for a minute.

    Raises
    ------
    RunFolderError
        Another living process holds the folder; the message says which.
    """
    path = folder / LOCK
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab", buffering=0)
    with stream, _noted(stream, path) if _locked(stream, path) else _linked(folder / CLAIM):
        yield


@contextlib.contextmanager
def waiting(folder: Path, patience: float) -> Iterator[None]:
    """Hold ``folder`` like :func:`exclusive`, after whoever holds it now.

    Parameters
    ----------
    patience : float
        Seconds to wait at most.

    Raises
    ------
    RunFolderError
        Another process held it all the while.
    """
    end = time.monotonic() + patience
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(exclusive(folder))
                break
            except RunFolderError:
                if time.monotonic() > end:
                    raise
            time.sleep(POLL_SECONDS)
        yield


def _locked(stream: FileIO, path: Path) -> bool:
    """Take the kernel's lock; False where the file system has none."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _in_use(path, _holder(path)) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise StorageError(f"cannot lock {path.parent}: {error.strerror}") from error
        logger.warning("%s: no locks on this file system; a claim file stands in", path.parent)
        return False
    return True


@contextlib.contextmanager
def _noted(stream: FileIO, path: Path) -> Iterator[None]:
    """The claim of who has the kernel's lock, written into the lock's file."""
    holder = _holder(path)
    if holder and not _same_host(holder) and _lives(holder, path):
        raise _in_use(path, holder)
    with storage_errors(path):
        stream.truncate(0)
        stream.write(_text())
    try:
        with beating(path):
            yield
    finally:
        with contextlib.suppress(OSError):
            stream.truncate(0)


@contextlib.contextmanager
def _linked(path: Path) -> Iterator[None]:
    """The claim of who was first to give ``path`` its name."""
    with storage_errors(path), _beside(path, "new") as mine:
        mine.write_bytes(_text())
        _remove_dead(path, mine)
        try:
            path.hardlink_to(mine)
        except FileExistsError:
            raise _in_use(path, _holder(path)) from None
    try:
        with beating(path):
            yield
    finally:
        path.unlink(missing_ok=True)


def _remove_dead(path: Path, mine: Path) -> None:
    """Take away the claim of a holder that died: one process at a time, so that no living one's is taken."""
    if not _is_dead(path):
        return
    taking = path.with_name(f"{path.name}.taking")
    try:
        taking.hardlink_to(mine)
    except FileExistsError:
        _forget_interrupted(taking)
        raise _in_use(path, _holder(taking)) from None
    try:
        if _is_dead(path):
            path.unlink(missing_ok=True)
    finally:
        taking.unlink(missing_ok=True)


def _is_dead(path: Path) -> bool:
    holder = _holder(path)
    return holder is not None and not _lives(holder, path)


def _forget_interrupted(taking: Path) -> None:
    """Who takes a claim away needs no time: a minute later, it died over it, and the next call may try."""
    if _age(taking) > FRESH_SECONDS:
        taking.unlink(missing_ok=True)


def _lives(holder: Worker, path: Path) -> bool:
    if _same_host(holder):
        return is_process(holder.pid)
    requeued = holder.job != "" and holder.job == this_worker().job
    return not requeued and _age(path) <= FRESH_SECONDS


def _same_host(holder: Worker) -> bool:
    return holder.host == this_worker().host


def _age(path: Path) -> float:
    """Seconds since ``path`` was touched, by the clock that stamps it: those of two hosts may differ.

    Infinite when it is gone.
    """
    with storage_errors(path), _beside(path, "clock") as clock:
        clock.touch()
        try:
            return clock.stat().st_mtime - path.stat().st_mtime
        except FileNotFoundError:
            return inf


@contextlib.contextmanager
def _beside(path: Path, purpose: str) -> Iterator[Path]:
    """A name that nobody else uses, for a file that goes with the block."""
    beside = temporary(path.with_name(f"{path.name}.{purpose}"))
    try:
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def _text() -> bytes:
    return json.dumps(asdict(this_worker())).encode() + b"\n"


def _holder(path: Path) -> Worker | None:
    try:
        return Worker(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _in_use(path: Path, holder: Worker | None) -> RunFolderError:
    who = holder or "another process"
    return RunFolderError(
        f"{path.parent} is in use by {who}. Wait for it to end, or stop it, then run again."
    )
