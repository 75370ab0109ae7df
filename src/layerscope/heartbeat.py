"""Who is at work, and a file whose time of change says that they still are."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECONDS = 15.0
"""Time between two beats."""

FRESH_SECONDS = 60.0
"""A file that was not touched for longer has no living writer: four beats were missed."""

JOB_VARIABLE = "LAYERSCOPE_JOB"
"""Environment variable that holds the id of the Slurm job a process works for."""


@dataclass(frozen=True)
class Worker:
    """A process, anywhere on a cluster; ``job`` is Slurm's id (``123_4``), "" when no Slurm started it."""

    pid: int
    host: str
    job: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" + (f" (job {self.job})" if self.job else "")


def this_worker() -> Worker:
    """The process that asks."""
    return Worker(os.getpid(), socket.gethostname(), os.environ.get(JOB_VARIABLE, ""))


def is_process(pid: int) -> bool:
    """Whether a process of that number lives on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def beat(path: Path) -> None:
    """Set the time of change of ``path`` to now, by the clock of its file system."""
    with contextlib.suppress(OSError):  # a file system that stalls must not end the work
        os.utime(path)


@contextlib.contextmanager
def beating(path: Path, *, seconds: float = SECONDS) -> Iterator[None]:
    """Touch ``path`` again and again, from a thread of its own, until the block ends."""
    ended = threading.Event()

    def touch() -> None:
        while not ended.wait(seconds):
            beat(path)

    thread = threading.Thread(target=touch, name=f"heartbeat of {path.name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
