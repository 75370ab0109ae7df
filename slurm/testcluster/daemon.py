"""A process that goes on after whoever started it, and that a later command finds again and stops."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from processes import ClusterError, start_time, until

PATIENCE = 120.0  # seconds for a daemon to answer, on a machine that does other things too
TAIL = 12  # lines of a log that a message quotes
MARK = "LAYERSCOPE_TESTCLUSTER"  # environment variable of every daemon: the folder of its cluster


@dataclass(frozen=True)
class Daemon:
    """One program in the foreground of a session of its own.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Where its log and its process record lie.
    environment : mapping
        Variables on top of ours.
    """

    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The program."""
        return Path(self.command[0]).name

    @property
    def log(self) -> Path:
        """Everything that it says."""
        return self.folder / f"{self.name}.out"

    @property
    def record(self) -> Path:
        """Its process id and start time, by which no later process of the same id is taken for it."""
        return self.folder / f"{self.name}.process"

    def start(self, answers: Callable[[], bool]) -> None:
        """Start it and wait until ``answers`` is true.

        Raises
        ------
        ClusterError
            It ended, or gave no answer in time; the end of its log is quoted.
        """
        pid = self._spawn()
        self.record.write_text(f"{pid} {start_time(pid)}", encoding="utf-8")
        if not until(lambda: self.pid() is None or answers(), PATIENCE):
            raise self._complaint(f"gave no answer in {PATIENCE:.0f} s")
        if self.pid() is None:
            raise self._complaint("ended at once")

    def stop(self, patience: float = 10.0) -> None:
        """Ask it to end, insist after ``patience`` seconds, wait until it is gone."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
            until(lambda: self.pid() is None, patience)
        self.record.unlink(missing_ok=True)

    def pid(self) -> int | None:
        """Its process id, None when it does not run."""
        try:
            pid, started = self.record.read_text(encoding="utf-8").split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(int(pid)) == started else None

    def _spawn(self) -> int:
        """Start it as nobody's child, so that nobody has to wait for it; its process id."""
        shell = subprocess.run(
            ["sh", "-c", '"$@" >>"$0" 2>&1 & echo $!', self.log, *self.command],
            env={**os.environ, **self.environment, MARK: str(self.folder)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
            timeout=PATIENCE,
            check=True,
        )
        return int(shell.stdout)

    def _complaint(self, what: str) -> ClusterError:
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:]
            what += f"; the end of {self.log}:\n" + "\n".join(f"  {line}" for line in lines)
        return ClusterError(f"{self.name} {what}")
