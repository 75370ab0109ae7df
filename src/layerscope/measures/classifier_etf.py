"""NC2 of the classifier: how close its rows come to a simplex equiangular tight frame."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from layerscope.functional.between import centered
from layerscope.functional.simplex import (
    etf_floor,
    has_direction,
    weight_equiangularity,
    weight_equinorm,
    weight_etf_error,
)
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    because,
    weights_subject,
)
from layerscope.measures.classifier import classifier_of

STATISTICS = ("equinorm", "equiangular", "equiangular_std", "etf_error", "etf_floor", "directionless")


class ClassifierETF:
    """How far the rows of the last layer's weight are from a simplex ETF.

    Qualifiers ``rows``: ``raw`` (as they are) or ``centered`` (minus their mean); ``statistic``: as of ETF.
    The last tapped layer is taken; skipped when it is not linear. Angles are degenerate when a row is zero
    (``directionless`` counts them), and everything is for two centred rows. The split is ``weights``.
    """

    name = "ClassifierETF"
    qualifiers = ("rows", "statistic")
    needs = Need.SPECTRUM

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Six values for each kind of rows."""
        entry, module = classifier_of(statistics)
        subject = weights_subject(entry)
        for rows in ("raw", "centered"):
            if module is None:
                for statistic in STATISTICS:
                    yield subject, Value({"rows": rows, "statistic": statistic}, math.nan, "skipped")
                continue
            for value in _values(module.weight.detach().double(), rows):
                yield subject, value


def _values(weight: Tensor, rows: str) -> Iterator[Value]:
    center = rows == "centered"
    offsets = centered(weight)[0] if center else weight
    pointless = int((~has_direction(offsets, weight)).sum())
    flat = pointless == len(weight)
    offset, spread = weight_equiangularity(weight, center=center)
    reason = because(two_classes=center and len(weight) == 2)
    norms = math.nan if flat else weight_equinorm(weight, center=center)
    error = math.nan if flat else weight_etf_error(weight, center=center)
    found = {"equinorm": norms, "equiangular": offset, "equiangular_std": spread, "etf_error": error}
    for statistic, value in found.items():
        angle = statistic.startswith("equiangular")
        lost = because(directionless=angle and pointless > 0)
        yield Value({"rows": rows, "statistic": statistic}, value, reason=reason or lost)
    yield Value({"rows": rows, "statistic": "etf_floor"}, etf_floor(*weight.shape))
    yield Value({"rows": rows, "statistic": "directionless"}, float(pointless), unit="count")
