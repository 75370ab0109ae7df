"""One worker as a child process, or as several that share a run: started, watched, stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias

from layerscope.files import storage_errors
from layerscope.launch.workers.forked import Forked, fork
from layerscope.launch.workers.log import new_log
from layerscope.launch.workers.stopping import SIGNALS
from layerscope.run_folder import RunFolder

Process: TypeAlias = "subprocess.Popen[bytes] | Forked"

WORKER = "layerscope.launch.worker"
_RANK_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")

LOST_SECONDS = 60.0
"""How long the others of several processes may go on when one has failed; they notice by themselves."""


@dataclass(frozen=True)
class Work:
    """What one worker has to do.

    Parameters
    ----------
    after : sequence of str
        Stages that have to be done before; without them the work is blocked.
    ranks : int
        Processes that share the run, one GPU each.
    environment : mapping
        Variables that differ from this process' own.
    forked : bool
        As a fork of this process, which :func:`~layerscope.launch.workers.forked.ready_to_draw` has prepared.
    """

    run: RunFolder
    stages: Sequence[str]
    device: str = "auto"
    after: Sequence[str] = ()
    ranks: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)
    forked: bool = False


class Child:
    """The processes that do one :class:`Work`.

    All questions may be asked in a signal handler, even while the program below it is asking the same.
    """

    def __init__(self, work: Work) -> None:
        self.work = work
        self.log = Path()
        self.killed = False
        self._processes: list[Process] = []
        self._codes: dict[int, int] = {}
        self._first_failure: float | None = None

    def start(self) -> None:
        """Start; output goes to a new file in the run's folder ``jobs``."""
        work = self.work
        before = work.run.status(work.stages[0]).read()
        self.log = new_log(work.run.jobs_path, work.stages, (before.attempt if before else 0) + 1)
        try:
            with storage_errors(self.log), self.log.open("ab") as output, _blocked():
                for environment in _environments(work):
                    self._processes.append(_spawn(work, environment, output))
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The process that leads."""
        return self._processes[0].pid

    def poll(self) -> int | None:
        """The exit code (minus the signal that killed it); None while any of the processes lives."""
        self._look()
        if len(self._codes) < len(self._processes):
            return None
        return _verdict([self._codes[process.pid] for process in self._processes])

    def ask_to_stop(self) -> None:
        """Ask it to save and end."""
        self._signal(signal.SIGUSR2)

    def kill(self) -> None:
        """End it at once."""
        self.killed = self.killed or self.poll() is None
        self._signal(signal.SIGKILL)

    def _look(self) -> None:
        for process in self._processes:
            code = None if process.pid in self._codes else _exit_code(process)
            if code is not None:
                self._codes[process.pid] = code
                process.wait()
        self._end_the_forlorn()

    def _end_the_forlorn(self) -> None:
        """End processes whose companion has failed long ago."""
        if not any(self._codes.values()):
            return
        self._first_failure = self._first_failure or time.monotonic()
        if time.monotonic() - self._first_failure > LOST_SECONDS:
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes:
            if process.pid not in self._codes:  # else its number may be another's by now
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, number)


def _exit_code(process: Process) -> int | None:
    """Like ``process.poll()``, but without its lock, which a signal handler could not get."""
    try:
        info = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return process.returncode
    if info is None:
        return None
    return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status


def _verdict(codes: Sequence[int]) -> int:
    """One exit code for all: that of the first process, unless it is content and another is not."""
    return next((code for code in codes if code), 0)


def _arguments(work: Work) -> list[str]:
    return [
        *("--folder", str(work.run.folder), "--stages", ",".join(work.stages)),
        *("--after", ",".join(work.after), "--device", work.device, "--parent", str(os.getpid())),
    ]


def _spawn(work: Work, environment: Mapping[str, str], output: BinaryIO) -> Process:
    if work.forked:
        return fork(WORKER, _arguments(work), environment, output)
    return subprocess.Popen(
        [sys.executable, "-m", WORKER, *_arguments(work)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _environments(work: Work) -> Iterator[dict[str, str]]:
    """The variables of each process; those of several are the ones that torchrun sets."""
    common = {name: value for name, value in os.environ.items() if name not in _RANK_VARIABLES}
    common |= work.environment
    if work.ranks == 1:
        yield common
        return
    port = str(_free_port())
    for rank in range(work.ranks):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(work.ranks)}
        yield {**common, **place, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def _blocked() -> Iterator[None]:
    """Hold the signals back, so that a child that is being born loses none: it lets them in itself."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
