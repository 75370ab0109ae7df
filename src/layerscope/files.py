"""Files that are never torn: written beside, flushed to disk, renamed."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from layerscope.errors import StorageError
from layerscope.heartbeat import FRESH_SECONDS, is_process, this_worker


@contextlib.contextmanager
def atomic_path(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Yield a path to write to; on leaving, it becomes ``path`` in one step.

    Whatever happens in between, ``path`` holds either its old content or all of the new one.

    Parameters
    ----------
    durable
        Wait until it is on the disk, so that not even a power cut takes it back.

    Raises
    ------
    StorageError
        The file system refused (no space, quota, read-only, permissions). The old file is untouched.
    """
    beside = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        if durable:
            _flush(beside)
        beside.replace(path)
        if durable:
            _flush(path.parent)
    except OSError as error:
        raise _storage_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # it is gone after the rename, and may never have come to be
            beside.unlink()


def write_atomic(path: Path, content: bytes | str, *, durable: bool = True) -> None:
    """Write ``content`` to ``path`` in one step (see :func:`atomic_path`)."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_path(path, durable=durable) as beside:
        beside.write_bytes(data)


def write_json(path: Path, content: Any, *, durable: bool = True) -> None:
    """Write ``content`` as readable JSON in one step."""
    write_atomic(path, json.dumps(content, indent=2) + "\n", durable=durable)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def content_digest(path: Path) -> str:
    """:func:`sha256` of a file, read again in this process only when its size or time of change differ."""
    found = path.stat()
    return _digest_of(path.absolute(), found.st_size, found.st_mtime_ns, found.st_ino)


@functools.lru_cache(maxsize=10_000)
def _digest_of(path: Path, *_: int) -> str:
    return sha256(path)


def temporary(path: Path) -> Path:
    """A name beside ``path`` that no other thread or process, here or on another host, uses."""
    writer = this_worker()
    return path.with_name(f".{path.name}.{threading.get_ident()}.{writer.pid}@{writer.host}.tmp")


def remove_leftovers(folder: Path) -> None:
    """Delete the half-written files that killed processes left in ``folder``, not those of living ones."""
    for leftover in folder.glob(".*.tmp"):
        if not _being_written(leftover):
            leftover.unlink(missing_ok=True)


def _being_written(path: Path) -> bool:
    writer = re.search(r"\.(\d+)\.(\d+)@(.+)\.tmp$", path.name)
    if writer is None:
        return False
    thread, pid, me = int(writer[1]), int(writer[2]), this_worker()
    if writer[3] == me.host:
        return _is_other_thread(thread) if pid == me.pid else is_process(pid)
    try:
        return time.time() - path.stat().st_mtime <= FRESH_SECONDS
    except FileNotFoundError:  # renamed to what it was to become
        return True


def _is_other_thread(thread: int) -> bool:
    """Whether that is a living thread of this process, and not the one that asks."""
    return thread != threading.get_ident() and any(thread == one.ident for one in threading.enumerate())


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what the system refuses within the block into a :class:`StorageError` about ``path``."""
    try:
        yield
    except OSError as error:
        raise _storage_error(path, error) from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _storage_error(path: Path, error: OSError) -> StorageError:
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        reason = f"{reason} ({_free_space(path)} free)"
    return StorageError(
        f"cannot write {path}: {reason}. What was saved before is intact; "
        "make room or mend the permissions, then run the same command again to continue."
    )


def _free_space(path: Path) -> str:
    existing = next((place for place in (path, *path.parents) if place.exists()), Path("/"))
    return f"{shutil.disk_usage(existing).free / 2**20:.1f} MiB"
