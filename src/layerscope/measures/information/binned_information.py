"""Binned mutual information: counting code words of binned activations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from layerscope.functional.binned import BinnedInformation, Edges, binned_mutual_information
from layerscope.functional.units import in_units
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.observed import Observed

EDGES: dict[str, Edges] = {"minmax": "minmax", "per_unit": "per_unit"}


class BinnedMI:
    r"""Information of binned features T with the labels and with the inputs, by counting code words.

    Qualifiers ``binning``: ``minmax:B`` (B bins over the layer's whole range) or ``per_unit:B`` (over each
    unit's); ``statistic``: ``labels`` (I(T;Y), ``ceiling`` H(Y)), ``inputs`` (I(X;T) = H(T), ``ceiling``
    ln n), ``label_entropy`` (H(Y)), ``unique_fraction`` (code words over samples); ``n``: samples. Once there
    are more than half as many code words as samples, both informations are degenerate: they tell the size of
    the sample and H(Y), whatever the network does.
    """

    name = "BinnedMI"
    qualifiers = ("binning", "statistic", "n")
    needs = Need.SAMPLE

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Four values per binning, layer and split."""
        yield from estimated_values(statistics, self.qualifiers, _information)


def _information(observed: Observed) -> Mapping[Place, Estimate]:
    settings, found = observed.estimation.settings, dict[Place, Estimate]()
    ceiling = in_units(math.log(len(observed)), settings.units)
    for binning in settings.binnings:
        edges, _, bins = binning.partition(":")
        information = binned_mutual_information(
            observed.features,
            observed.labels,
            bins=int(bins),
            edges=EDGES[edges],
            units=settings.units,
        )
        for statistic, estimate in _estimates(information, ceiling, observed.estimation.unit).items():
            found[binning, statistic] = estimate
    return found


def _estimates(information: BinnedInformation, ceiling: float, unit: str) -> dict[str, Estimate]:
    status, entropy = "degenerate" if information.saturated else "", information.label_entropy
    return {
        "labels": Estimate(information.with_labels, unit, status, ceiling=entropy),
        "inputs": Estimate(information.with_inputs, unit, status, ceiling=ceiling),
        "label_entropy": Estimate(entropy, unit),
        "unique_fraction": Estimate(information.unique_fraction, "1"),
    }
