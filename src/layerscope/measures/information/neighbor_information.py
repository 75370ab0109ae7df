"""KSG: mutual information by nearest neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from layerscope.functional.ksg import NeighborInformation
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.observed import Observed


class KSG:
    r"""Mutual information of features with labels (Ross) and with the inputs (KSG), by nearest neighbours.

    Of the leading principal components of features and of inputs (``Measurements.information.components``):
    information is only lost by that. Qualifiers ``variable``: ``labels``, ``inputs``; ``components``: their
    number, or ``all``; ``n``: samples. ``ceiling``: what the estimate can be at most. It may be negative.
    Degenerate for more than 8 dimensions, ties, constant features, near the ceiling, labels of one sample;
    undefined with no more samples than neighbours.
    """

    name = "KSG"
    qualifiers = ("variable", "components", "n")
    needs = Need.SAMPLE

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per layer and split."""
        yield from estimated_values(statistics, self.qualifiers, _information)


def _information(observed: Observed) -> Mapping[Place, Estimate]:
    unit, components = observed.estimation.unit, str(observed.estimation.settings.components or "all")
    return {
        ("labels", components): neighbor_estimate(observed.label_neighbors, unit),
        ("inputs", components): neighbor_estimate(observed.input_neighbors, unit),
    }


def neighbor_estimate(information: NeighborInformation | None, unit: str) -> Estimate:
    """An estimate by neighbours with its ceiling and status; undefined where nothing could be estimated."""
    if information is None:
        return Estimate(math.nan, unit)
    reason = "+".join(information.reasons)
    return Estimate(information.value, unit, reason, ceiling=information.ceiling)
