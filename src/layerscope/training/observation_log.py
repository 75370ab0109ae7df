"""``observations.csv``: what an :class:`~layerscope.training.observer.Observer` saw, one value per row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from layerscope.errors import DamagedFile
from layerscope.files import write_atomic
from layerscope.training.observer import Observed, each_step, over_steps

HEADER = "epoch,step,quantity,layer_name,statistic,value\n"


class ObservationLog:
    """The observations of one run, in the order of epochs; rewritten whole so that it is never torn.

    Parameters
    ----------
    path
    per
        A row for every step (numbered from 1), or for the steps of an epoch together (no number).
    """

    def __init__(self, path: Path, per: Literal["epoch", "step"] = "epoch") -> None:
        self.path = path
        self.per = per

    def append(self, epoch: int, observed: Observed) -> None:
        """Add an epoch; rows of the same or a later one, left by an interrupted run, give way."""
        if observed:
            write_atomic(self.path, self._until(epoch - 1) + "".join(self._rows(epoch, observed)))

    def truncate_after(self, epoch: int) -> None:
        """Forget the epochs after ``epoch``: they are about to be trained again."""
        if self.path.exists():
            kept = self._until(epoch)
            if len(kept.encode()) < self.path.stat().st_size:
                write_atomic(self.path, kept)

    def _until(self, epoch: int) -> str:
        """The text up to and with ``epoch``; only the lines that go are looked at.

        Raises
        ------
        DamagedFile
            It is not what :meth:`append` writes.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return HEADER
        if not text.startswith(HEADER) or not text.endswith("\n"):
            raise self._damage(f"it does not begin with {HEADER.strip()}, or its end is missing")
        end = len(text)
        while end > len(HEADER):
            begin = text.rfind("\n", 0, end - 1) + 1
            number = text[begin:end].partition(",")[0]
            if not number.isdigit():
                raise self._damage(f"a line of it begins with {number!r} instead of an epoch")
            if int(number) <= epoch:
                break
            end = begin
        return text[:end]

    def _rows(self, epoch: int, observed: Observed) -> Iterator[str]:
        by_step = {
            name: each_step(series) if self.per == "step" else [over_steps(series)]
            for name, series in observed.items()
        }
        for number, found in enumerate(zip(*by_step.values(), strict=True), start=1):
            step = str(number) if self.per == "step" else ""
            for name, statistics in zip(by_step, found, strict=True):
                quantity, _, layer = name.partition("/")
                for statistic, value in statistics.items():
                    yield f"{epoch},{step},{quantity},{layer},{statistic},{value!r}\n"

    def _damage(self, reason: str) -> DamagedFile:
        return DamagedFile(
            self.path, reason, "Move it away and run the same command again: a new one is begun."
        )


def tracked(observed: Observed) -> dict[str, float]:
    """Name → value of an epoch, for trackers: ``gradient_norm/mean``, ``activations/fc/std``, …"""
    return {
        f"{name}/{statistic}": value
        for name, series in observed.items()
        for statistic, value in over_steps(series).items()
    }
