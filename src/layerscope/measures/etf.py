"""NC2: convergence of the class means to a simplex equiangular tight frame."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from layerscope.functional.simplex import directionless, equiangularity, equinorm, etf_error, etf_floor
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    because,
    class_weights_of,
    each_split,
)


class ETF:
    r"""How far the centred class means are from a simplex ETF.

    Qualifier ``statistic``: ``equinorm`` (std/mean of the lengths), ``equiangular`` (mean |cos + 1/(K-1)|),
    ``equiangular_std`` (std of the cosines), ``etf_error`` (of the normalised Gram matrix), ``etf_floor``
    (the smallest reachable error), ``directionless`` (number of means that equal the centre, whose pairs have
    no angle). Angles are degenerate when there are such means; everything is with two classes, whose means
    can lie in no other way. When all means coincide up to rounding, everything but the floor is undefined;
    when the rounding of the features alone could tell them apart, it is degenerate.
    """

    name = "ETF"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Six values per layer and split."""
        for subject, _, _, moments in each_split(statistics):
            weights, means = class_weights_of(moments, statistics).center, moments.means
            precision = moments.reference.dtype
            pointless = directionless(means, weights, precision=precision)
            lost = pointless == subject.classes
            offset, spread = equiangularity(means, weights, precision=torch.float64 if lost else precision)
            coincident = directionless(means, weights) == subject.classes
            reason = because(two_classes=subject.classes == 2, rounding=lost)
            of_angles = reason or because(directionless=pointless > 0)
            norms = math.nan if coincident else equinorm(means, weights)
            error = math.nan if coincident else etf_error(means, weights)
            yield subject, Value({"statistic": "equinorm"}, norms, reason=reason)
            yield subject, Value({"statistic": "equiangular"}, offset, reason=of_angles)
            yield subject, Value({"statistic": "equiangular_std"}, spread, reason=of_angles)
            yield subject, Value({"statistic": "etf_error"}, error, reason=reason)
            yield subject, Value({"statistic": "etf_floor"}, etf_floor(subject.classes, subject.dim))
            yield subject, Value({"statistic": "directionless"}, float(pointless), unit="count")
