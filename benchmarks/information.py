"""Seconds that the measures of information take per checkpoint, against their budgets."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pairs import Comparison

from measurement import MLP, Pass, measuring

SECONDS = {"Information": 20.0, "Information_Latent": 120.0}


def run() -> Iterator[Comparison]:
    """Measure an untrained `mlp` on 2,000 images of each split of Fashion-MNIST, at six taps."""
    for measures, budget in SECONDS.items():
        checkpoint = measuring(MLP, measures)
        first = _seconds(checkpoint)  # with the groups of the inputs, which all checkpoints share
        name = f"{measures}, `mlp` on Fashion-MNIST, 2,000 images of each split, six taps"
        yield Comparison(f"{name}, first checkpoint / budget", [first], [budget], 1.0)
        later = [_seconds(checkpoint) for _ in range(3 if budget < 60 else 1)]
        yield Comparison(f"{name}, another checkpoint / budget", later, [budget] * len(later), 1.0)


def _seconds(checkpoint: Pass) -> float:
    started = time.perf_counter()
    checkpoint.measure()
    return time.perf_counter() - started


if __name__ == "__main__":
    for comparison in run():
        print(comparison.row(), flush=True)
