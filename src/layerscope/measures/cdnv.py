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
from layerscope.results.cdnv_unit import cdnv_unit
from layerscope.statistics.class_moments import ClassMoments


class CDNV:
    r"""Mean, median and maximum over pairs of classes of (v_i + v_j) / (2 |μ_i - μ_j|^2β).

    Qualifier ``statistic``: ``mean``, ``median``, ``max``, and the numbers of pairs that are ``infinite``
    (equal means, varying samples) or ``coincident`` (nothing differs; left out). Degenerate when pairs
    without any difference were left out, when a class has a single sample (its variance is then 0 by
    construction), or when two means differ by no more than the rounding of the features. β is
    ``Measurements.cdnv-exponent``, 1 unless it is set; the unit is ``feature^p``, p = 2 - 2β, or ``1``.
    """

    name = "CDNV"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Five values per layer and split."""
        exponent = statistics.cdnv_exponent
        unit = cdnv_unit(exponent)
        for subject, _, _, moments in each_split(statistics):
            result = cdnv(moments.variances, moments.means, exponent=exponent)
            reason = fragility(moments, result, exponent)
            for statistic in ("mean", "median", "max"):
                yield subject, Value({"statistic": statistic}, result[statistic], unit=unit, reason=reason)
            for count in ("infinite", "coincident"):
                yield subject, Value({"statistic": count}, float(result[count]), unit="count")


def fragility(moments: ClassMoments, result: Mapping[str, float], exponent: float = 1.0) -> str:
    """Why the CDNV of these moments, with this exponent, is degenerate; empty when it is not."""
    rounding = rounding_floor(moments.means, moments.reference.dtype)
    return because(
        singletons=singletons_of(moments.counts) > 0,
        coincident=result["coincident"] > 0,
        rounding=_too_close(result["max"], moments.variances, rounding ** (2 * exponent)),
    )


def _too_close(largest: float, variances: Tensor, nearest: float) -> bool:
    """Whether a pair lies within rounding: V = v / d^2β, v at most the largest variance, d^2β ``nearest``."""
    return 0 < largest < math.inf and bool(variances.max() <= largest * nearest)
