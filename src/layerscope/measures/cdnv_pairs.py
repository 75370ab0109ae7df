"""Class-distance normalised variance of every pair of classes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.functional.between import rounding_floor
from layerscope.functional.pair_variability import cdnv_pairs
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because, each_split
from layerscope.results.cdnv_unit import cdnv_unit
from layerscope.statistics.class_moments import ClassMoments

MOST_CLASSES = 200
NO_PAIR = -1  # in place of a class


class CDNVPairs:
    r"""(v_i + v_j) / (2 |μ_i - μ_j|^2β) of every pair of classes, as :class:`~layerscope.measures.cdnv.CDNV`.

    Qualifiers ``class`` i and ``other`` j > i, of the classes that have samples. Infinite for equal means of
    samples that vary, undefined where nothing differs; degenerate when either class has a single sample, or
    the two means differ by no more than the rounding of the features. Skipped beyond 200 classes, which are
    19,900 rows per layer and split; undefined with fewer than two. Both have one row, of classes -1.
    """

    name = "CDNVPairs"
    qualifiers = ("class", "other")
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """K(K-1)/2 values per layer and split."""
        exponent = statistics.cdnv_exponent
        for subject, _, _, moments in each_split(statistics):
            if not 2 <= subject.classes <= MOST_CLASSES:
                status = "skipped" if subject.classes > MOST_CLASSES else "undefined"
                place, unit = {"class": NO_PAIR, "other": NO_PAIR}, cdnv_unit(exponent)
                yield subject, Value(place, math.nan, status, unit)
                continue
            for value in _values(moments, exponent):
                yield subject, value


def _values(moments: ClassMoments, exponent: float) -> Iterator[Value]:
    found = cdnv_pairs(moments.variances, moments.means, exponent=exponent).tolist()
    variances, labels = moments.variances.tolist(), moments.present.tolist()
    single = (moments.counts[moments.present] == 1).tolist()
    nearest = rounding_floor(moments.means, moments.reference.dtype) ** (2 * exponent)
    unit = cdnv_unit(exponent)
    for i, row in enumerate(found):
        for j in range(i + 1, len(labels)):
            spread = (variances[i] + variances[j]) / 2
            reason = because(
                singletons=single[i] or single[j], rounding=row[j] > 0 and spread <= row[j] * nearest
            )
            yield Value({"class": labels[i], "other": labels[j]}, row[j], unit=unit, reason=reason)
