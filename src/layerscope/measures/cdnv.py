"""Class-distance normalised variance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from torch import Tensor

from layerscope.functional.between import rounding_floor
from layerscope.functional.pair_variability import cdnv
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    because,
    each_split,
    singletons_of,
)
from layerscope.statistics.class_moments import ClassMoments


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
            result = cdnv(moments.variances, moments.means)
            reason = fragility(moments, result)
            for statistic in ("mean", "median", "max"):
                yield subject, Value({"statistic": statistic}, result[statistic], reason=reason)
            for count in ("infinite", "coincident"):
                yield subject, Value({"statistic": count}, float(result[count]), unit="count")


def fragility(moments: ClassMoments, result: Mapping[str, float]) -> str:
    """Why the CDNV of these moments is degenerate; empty when it is not."""
    rounding = rounding_floor(moments.means, moments.reference.dtype)
    return because(
        singletons=singletons_of(moments.counts) > 0,
        coincident=result["coincident"] > 0,
        rounding=_too_close(result["max"], moments.variances, rounding),
    )


def _too_close(largest: float, variances: Tensor, rounding: float) -> bool:
    """Whether the closest pair lies within rounding: V = v / d² with v at most the largest variance."""
    return 0 < largest < math.inf and bool(variances.max() <= largest * rounding**2)
