"""Generalised NC2: how evenly the class means are spread over directions."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.functional.kernels import Kernel, KernelStats, kernel_stats
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    class_weights_of,
    each_split,
    status_of,
)

KERNELS: dict[str, tuple[Kernel, float | None]] = {
    "dist": ("dist", None),
    "log": ("log", None),
    "riesz": ("riesz", None),
    "riesz_1": ("riesz", 1.0),
}


class GNC2:
    r"""Mean and population variance over pairs of a kernel of the directions of the centred class means.

    Qualifiers ``kernel``: ``dist`` (distance d of two unit vectors), ``log`` (-log d), ``riesz``
    (d^-(D-2)), ``riesz_1`` (1/d); ``statistic``: ``mean``, ``variance``. Infinite when two means have the
    same direction; degenerate when a mean equals the centre, with two classes, and for ``riesz`` when D is so
    large that it underflows or at most 2. Works for any K and D.
    """

    name = "GNC2"
    qualifiers = ("kernel", "statistic")
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per kernel, layer and split."""
        for subject, _, _, moments in each_split(statistics):
            center, precision = class_weights_of(moments, statistics).center, moments.reference.dtype
            for name, (kernel, exponent) in KERNELS.items():
                found = kernel_stats(moments.means, kernel, center, exponent=exponent, precision=precision)
                for value in _values(name, found, subject):
                    yield subject, value


def _values(name: str, found: KernelStats, subject: Subject) -> Iterator[Value]:
    mean, variance = found.mean, found.variance
    overflow = math.isinf(mean) and not found.coincident
    pointless = name == "riesz" and (mean == 0.0 or subject.dim <= 2)  # it underflows, or has no exponent
    if overflow:
        mean, variance = math.nan, math.nan
    fragile = found.directionless > 0 or subject.classes == 2 or pointless
    yield Value({"kernel": name, "statistic": "mean"}, mean, status_of(mean, degenerate=fragile))
    yield Value({"kernel": name, "statistic": "variance"}, variance, status_of(variance, degenerate=fragile))
