"""Looking for programs, for processes, and after each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO


class ClusterError(Exception):
    """The cluster did not do what was asked; the message names the log to read."""


def program(name: str) -> str | None:
    """Where a program is; daemons lie in folders that are not on everybody's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/sbin")


def succeeds(*command: str, environment: Mapping[str, str] | None = None) -> bool:
    """Whether a command ends well within ten seconds; ``environment`` is added to ours."""
    try:
        answer = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return answer.returncode == 0


def until(condition: Callable[[], object], seconds: float) -> bool:
    """Wait for a condition; False when it did not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def start_time(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty for none and for one that has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
    return "" if fields[0] in "ZX" else fields[19]


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended, for as long as it takes."""
    started = start_time(pid)
    while started and start_time(pid) == started:
        time.sleep(0.5)


def kill_all(find: Callable[[], Iterable[int]]) -> None:
    """Kill the processes that ``find`` finds until it finds none, for ten seconds at most."""

    def none_left() -> bool:
        found = list(find())
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not found

    until(none_left, 10)


def with_variables(*names_and_values: str) -> set[int]:
    """Processes in whose environment each of ``NAME=value``, or ``NAME=`` for any value, occurs."""
    return {
        pid
        for pid in _processes()
        if all(any(entry.startswith(wanted) for entry in _environment(pid)) for wanted in names_and_values)
    }


def with_sockets_in(folder: Path) -> set[int]:
    """Processes that hold a Unix socket which lies in ``folder``."""
    lines = Path("/proc/net/unix").read_text(encoding="utf-8", errors="replace").splitlines()
    columns = [line.split() for line in lines if f" {folder}/" in line]
    sockets = {f"socket:[{column[6]}]" for column in columns}
    return {pid for pid in _processes() if sockets & _open_files(pid)}


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _open_files(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(entry.readlink()))
    return found


@contextlib.contextmanager
def alone(path: Path, patience: float) -> Iterator[None]:
    """Hold a lock file, which is gone afterwards.

    Raises
    ------
    ClusterError
        Another process holds it and does not let go.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        if not until(lambda: _take(path, stack), patience):
            raise ClusterError(f"another command has held {path} for {patience:.0f} s")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _take(path: Path, stack: contextlib.ExitStack) -> bool:
    """Whether we hold the lock now; not when its last holder deleted the file that we opened."""
    file: IO[str] = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        held = path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except OSError:
        held = False
    if held:
        stack.callback(file.close)
    else:
        file.close()
    return held
