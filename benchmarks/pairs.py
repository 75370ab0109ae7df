"""Two ways of doing the same, timed in turn, so that a machine whose speed drifts slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Seconds of ours and of the reference, pair by pair."""

    name: str
    ours: list[float]
    reference: list[float]
    bound: float

    @property
    def ratios(self) -> list[float]:
        """Ours over the reference, pair by pair."""
        return [a / b for a, b in zip(self.ours, self.reference, strict=True)]

    def row(self) -> str:
        """One line of the table: medians, ratio with its range, bound."""
        low, middle, high = min(self.ratios), statistics.median(self.ratios), max(self.ratios)
        ours, reference = statistics.median(self.ours), statistics.median(self.reference)
        return (
            f"| {self.name} | {ours:.2f} | {reference:.2f} | "
            f"{middle:.2f} ({low:.2f} to {high:.2f}) | ≤ {self.bound:g} |"
        )


def compare(
    name: str, ours: Callable[[], object], reference: Callable[[], object], *, bound: float, pairs: int = 5
) -> Comparison:
    """Time ``ours`` and ``reference`` in turn, after one warm-up of each."""
    times = in_turn({"reference": reference, "ours": ours}, rounds=pairs)
    return Comparison(name, times["ours"], times["reference"], bound)


def in_turn(
    works: dict[str, Callable[[], object]], *, rounds: int, warm_up: bool = True
) -> dict[str, list[float]]:
    """Seconds of each work, round by round, after one warm-up of each unless it takes too long."""
    if warm_up:
        for work in works.values():
            work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(_seconds(work))
    return times


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
