"""Files that are never torn: written beside, flushed to disk, renamed; and the lock of a run folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from layerscope.errors import RunFolderError, StorageError


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a path to write to; on leaving, it becomes ``path`` in one step.

    Whatever happens in between, ``path`` holds either its old content or all of the new one.

    Raises
    ------
    StorageError
        The file system refused (no space, quota, read-only, permissions). The old file is untouched.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        _flush(beside)
        beside.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise _storage_error(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # it is gone after the rename, and may never have come to be
            beside.unlink()


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write ``content`` to ``path`` in one step (see :func:`atomic_path`)."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_path(path) as beside:
        beside.write_bytes(data)


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as readable JSON in one step."""
    write_atomic(path, json.dumps(content, indent=2) + "\n")


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def remove_leftovers(folder: Path) -> None:
    """Delete the half-written files that killed processes left in ``folder``."""
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink(missing_ok=True)


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process alone, until the block ends or the process dies.

    Raises
    ------
    RunFolderError
        Another living process holds the folder; the message says which.
    """
    with _storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / ".lock").open("a+", encoding="utf-8")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "another process"
            raise RunFolderError(
                f"{folder} is in use by {holder}. Wait for it to end, or stop it, then run again."
            ) from None
        except OSError as error:  # some network file systems have no locks
            raise StorageError(
                f"cannot lock {folder}: {error.strerror}. Use a file system with locks."
            ) from error
        stream.truncate(0)
        with _storage_errors(folder):
            stream.write(f"process {os.getpid()} on {socket.gethostname()}")
            stream.flush()
        yield


@contextlib.contextmanager
def _storage_errors(path: Path) -> Iterator[None]:
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
