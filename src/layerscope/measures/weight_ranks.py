"""How many directions of every layer's weight matter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial

from torch import Tensor

from layerscope.functional.ranks import (
    approximate_rank,
    cutoff_rank,
    effective_rank,
    nuclear_frobenius,
    nuclear_rank,
    participation_ratio,
    stable_rank,
)
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, weights_subject

RANKS: dict[str, Callable[[Tensor], float]] = {
    "stable_rank": stable_rank,
    "effective_rank": effective_rank,
    "participation_ratio": participation_ratio,
    "nuclear_rank": nuclear_rank,
    "nuclear_frobenius": nuclear_frobenius,
    **{f"approximate_rank_{q}": partial(approximate_rank, share=q) for q in (0.9, 0.97, 0.99)},
    **{f"cutoff_rank_{t}": partial(cutoff_rank, threshold=t) for t in (0.03, 0.01, 0.001, 0.0001)},
}


class WeightRanks:
    r"""Soft ranks of the weight of each tapped linear or convolutional layer, as (out, in · kernel).

    Qualifier ``statistic``: ``stable_rank`` (Σs²/s₁²), ``effective_rank`` (exponential of the entropy of
    s/Σs), ``participation_ratio`` ((Σs²)²/Σs⁴), ``nuclear_rank`` (Σs/s₁), ``nuclear_frobenius`` (Σs/√Σs²),
    ``approximate_rank_q`` (least number of values that sum to q of the whole), ``cutoff_rank_t`` (number of
    values of at least t of the whole). Undefined for a zero weight; layers without a weight matrix are
    skipped. The split is ``weights``.
    """

    name = "WeightRanks"
    qualifiers = ("statistic",)
    needs = Need.SPECTRUM

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Twelve values per layer."""
        for entry in statistics.layers:
            subject = weights_subject(entry)
            for statistic, rank in RANKS.items():
                if entry.spectrum is None:
                    yield subject, Value({"statistic": statistic}, math.nan, "skipped")
                else:
                    yield subject, Value({"statistic": statistic}, rank(entry.spectrum.values))
