"""Generalised NC2: how evenly the class means are spread over directions."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.functional.kernels import Kernel, KernelStats, kernel_family
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    because,
    class_weights_of,
    each_split,
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
    (d^-(D-2)), ``riesz_1`` (1/d); ``statistic``: ``mean``, ``variance``; and two counts, of
    ``kernel`` ``any``: ``coincident``, pairs in the same direction, which make all but ``dist`` infinite, and
    ``directionless``, means that equal the centre and are left out (degenerate). Degenerate with two classes,
    too, and for ``riesz`` when D is so large that it underflows or at most 2. Works for any K and D.
    """

    name = "GNC2"
    qualifiers = ("kernel", "statistic")
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per kernel, and two counts, for each layer and split."""
        for subject, _, _, moments in each_split(statistics):
            center, precision = class_weights_of(moments, statistics).center, moments.reference.dtype
            family = kernel_family(moments.means, list(KERNELS.values()), center, precision=precision)
            for name, found in zip(KERNELS, family, strict=True):
                for value in _values(name, found, subject):
                    yield subject, value
            for count in ("coincident", "directionless"):  # the same for all kernels
                place = {"kernel": "any", "statistic": count}
                yield subject, Value(place, float(getattr(family[0], count)), unit="count")


def _values(name: str, found: KernelStats, subject: Subject) -> Iterator[Value]:
    mean, variance = found.mean, found.variance
    overflow = math.isinf(mean) and not found.coincident
    pointless = name == "riesz" and (mean == 0.0 or subject.dim <= 2)  # it underflows, or has no exponent
    if overflow:
        mean, variance = math.nan, math.nan
    reason = because(
        two_classes=subject.classes == 2, directionless=found.directionless > 0, exponent=pointless
    )
    yield Value({"kernel": name, "statistic": "mean"}, mean, reason=reason)
    yield Value({"kernel": name, "statistic": "variance"}, variance, reason=reason)
