"""When training pauses: somebody asks it to stop, or the newest resume point is getting old."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from enum import IntEnum

from layerscope.distributed.agreement import Agreement
from layerscope.distributed.ranks import rank


class Wish(IntEnum):
    """What to do at the next step boundary; the greatest wish of all processes is done."""

    GO_ON = 0
    SAVE = 1
    STOP = 2


def never() -> bool:
    """The answer of a ``should_stop`` that lets training run to its end."""
    return False


class Watch:
    """Asked before every step.

    Parameters
    ----------
    should_stop
        Once True, training saves a resume point and stops.
    minutes
        Age at which a resume point is replaced in mid-epoch; 0: never. The clock decides when something
        is saved, and nothing else.
    """

    def __init__(self, should_stop: Callable[[], bool] = never, minutes: float = 0.0) -> None:
        self._should_stop = should_stop
        self._limit = 60 * minutes or math.inf
        self._agreement = Agreement()
        self.restart_clock()

    def ask(self) -> Wish:
        """What all processes do now."""
        return Wish(self._agreement.ask(self._own_wish()))

    def restart_clock(self) -> None:
        """A resume point has just been saved."""
        self._saved = time.monotonic()

    def close(self) -> None:
        """Hear the other processes out before leaving them."""
        self._agreement.settle()

    def _own_wish(self) -> Wish:
        if self._should_stop():
            return Wish.STOP
        if rank() != 0 or time.monotonic() - self._saved < self._limit:
            return Wish.GO_ON
        self.restart_clock()
        return Wish.SAVE
