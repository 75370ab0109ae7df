"""Class-distance normalised variance."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from layerscope.functional.between import rounding_floor
from layerscope.functional.pair_variability import cdnv
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    each_split,
    status_of,
)


class CDNV:
    r"""Mean, median and maximum over pairs of classes of (v_i + v_j) / (2 |μ_i - μ_j|²).

    Qualifier ``statistic``: ``mean``, ``median``, ``max``, and the numbers of pairs that are ``infinite``
    (equal means, varying samples) or ``coincident`` (nothing differs; left out). Degenerate when pairs
    without any difference were left out, when a class has a single sample (its variance is then 0 by
    construction), or when two means differ by no more than the rounding of the features.
    """

    name = "CDNV"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Five values per layer and split."""
        for subject, _, _, moments in each_split(statistics):
            variances, means = moments.variances, moments.means
            result = cdnv(variances, means)
            singletons = bool((moments.counts == 1).any())
            rounding = rounding_floor(means, moments.reference.dtype)
            fragile = singletons or result["coincident"] > 0 or _too_close(result["max"], variances, rounding)
            for statistic in ("mean", "median", "max"):
                value = result[statistic]
                yield subject, Value({"statistic": statistic}, value, status_of(value, degenerate=fragile))
            for count in ("infinite", "coincident"):
                yield subject, Value({"statistic": count}, float(result[count]), unit="count")


def _too_close(largest: float, variances: Tensor, rounding: float) -> bool:
    """Whether the closest pair lies within rounding: V = v / d² with v at most the largest variance."""
    return 0 < largest < math.inf and bool(variances.max() <= largest * rounding**2)
