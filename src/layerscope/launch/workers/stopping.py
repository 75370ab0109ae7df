"""The signals that ask a worker to stop: they only set a flag, which the stages look at."""

from __future__ import annotations

import os
import signal
from types import FrameType

SIGNALS = (signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)
"""Slurm's warning before the time limit, preemption, and Ctrl-C."""


class StopRequest:
    """Whether this process was asked to stop, or has lost its parent."""

    def __init__(self) -> None:
        self._asked = False
        self._parent: int | None = None

    def __call__(self) -> bool:
        """The answer of the moment."""
        return self._asked or (self._parent is not None and os.getppid() != self._parent)

    def listen(self) -> None:
        """Take the signals from now on, those too that came while they were blocked."""
        for number in SIGNALS:
            signal.signal(number, self._note)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)

    @staticmethod
    def ignore() -> None:
        """Let the signals change nothing any more, in no thread; Python forgets handlers as it ends."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def follow(self, parent: int | None) -> None:
        """Stop when the process ``parent`` is no longer this one's parent: nobody would wait for it."""
        self._parent = parent

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._asked = True
