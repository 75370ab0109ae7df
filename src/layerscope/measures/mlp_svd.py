"""Singular vectors of the weights against the class means that they read (a heat map)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import nn

from layerscope.functional.between import rounding_floor
from layerscope.functional.correlation import correlations
from layerscope.measures.base import (
    CheckpointStatistics,
    LayerStatistics,
    Need,
    Subject,
    Value,
    because,
    each_split,
)
from layerscope.measures.classifier import reads_features
from layerscope.measures.weight_matrix import WEIGHT_VECTORS

CLASS_VECTORS = 10


class MLPSVD:
    r"""Size of the cosine between right singular vectors of a weight and class means, or their directions.

    Qualifiers ``against``: ``mean`` (of class ``class_vector``, uncentred) or ``vector`` (the
    ``class_vector``-th singular direction of the uncentred means); ``weight_vector``: 0-based, descending
    singular value; at most 100 weight vectors and 10 class vectors. Degenerate with one feature, where all
    are 1. Linear layers tapped at the input only; others are skipped.
    """

    name = "MLPSVD"
    qualifiers = ("against", "weight_vector", "class_vector")
    needs = Need.MOMENTS | Need.SPECTRUM | Need.VECTORS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Up to 2,000 values per linear layer and split."""
        for subject, entry, _, moments in each_split(statistics):
            if entry.spectrum is None or not _readable(entry):
                skipped: dict[str, str | int] = {"against": "mean", "weight_vector": 0, "class_vector": 0}
                yield subject, Value(skipped, math.nan, "skipped")
                continue
            rounding = len(moments.means) ** 0.5 * rounding_floor(moments.means, moments.reference.dtype)
            found = correlations(
                entry.spectrum, moments.means, WEIGHT_VECTORS, CLASS_VECTORS, rounding=rounding
            )
            trivial = because(one_feature=subject.dim == 1)
            named = zip(moments.present.tolist(), found.means.T.tolist(), strict=True)
            for class_vector, column in list(named)[:CLASS_VECTORS]:
                for value in _column("mean", class_vector, column, trivial):
                    yield subject, value
            for class_vector, column in enumerate(found.vectors.T.tolist()):
                for value in _column("vector", class_vector, column, trivial):
                    yield subject, value


def _readable(entry: LayerStatistics) -> bool:
    return isinstance(entry.module, nn.Linear) and reads_features(entry, entry.module)


def _column(against: str, class_vector: int, numbers: list[float], reason: str) -> Iterator[Value]:
    for weight_vector, number in enumerate(numbers):
        place: dict[str, str | int] = {
            "against": against,
            "weight_vector": weight_vector,
            "class_vector": class_vector,
        }
        yield Value(place, number, reason=reason)
