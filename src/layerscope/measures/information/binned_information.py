"""Binned mutual information: counting code words of binned activations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from torch import Tensor

from layerscope.functional.binned import (
    BinnedInformation,
    Edges,
    binned_mutual_information,
    entropy_of_counts,
)
from layerscope.functional.units import in_units
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.observed import Observed

EDGES: dict[str, Edges] = {"minmax": "minmax", "per_unit": "per_unit", "fixed": "fixed"}


class Binning(NamedTuple):
    """How activations are cut into bins."""

    edges: Edges
    bins: int
    limits: tuple[float, float] | None = None

    @classmethod
    def of(cls, text: str) -> Binning:
        """``minmax:B``, ``per_unit:B`` or ``fixed:B:LOW:HIGH``."""
        edges, bins, *limits = text.split(":")
        return cls(EDGES[edges], int(bins), (float(limits[0]), float(limits[1])) if limits else None)

    def outside(self, features: Tensor) -> int:
        """Number of values outside the limits."""
        if self.limits is None:
            return 0
        low, high = self.limits
        wide = features.double()
        return int(((wide < low) | (wide > high)).sum())


class BinnedMI:
    r"""Information of binned features T with the labels and with the inputs, by counting code words.

    Qualifiers ``binning``: ``minmax:B`` (B bins over the layer's whole range), ``per_unit:B`` (over each
    unit's) or ``fixed:B:LOW:HIGH``; ``statistic``: ``labels`` (I(T;Y), ``ceiling`` H(Y)), ``inputs``
    (I(X;T) = H(T), ``ceiling`` ln n), ``label_entropy`` (H(Y)), ``unique_fraction`` (code words over
    samples), for ``fixed`` also ``outside`` (values outside: if any, all but H(Y) is undefined); ``n``.
    Once there are more than half as many code words as samples, both informations are degenerate: they tell
    the size of the sample and H(Y), whatever the network does.
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
        information = _by(Binning.of(binning), observed)
        for statistic, estimate in _estimates(information, ceiling, observed.estimation.unit).items():
            found[binning, statistic] = estimate
        if Binning.of(binning).limits is not None:
            found[binning, "outside"] = Estimate(Binning.of(binning).outside(observed.features), "count")
    return found


def _by(binning: Binning, observed: Observed) -> BinnedInformation:
    """Undefined, but for the entropy of the labels, where values lie outside the limits."""
    units = observed.estimation.settings.units
    if binning.outside(observed.features):
        entropy = in_units(entropy_of_counts(observed.labels.bincount()), units)
        return BinnedInformation(math.nan, math.nan, entropy, math.nan)
    return binned_mutual_information(
        observed.features,
        observed.labels,
        bins=binning.bins,
        edges=binning.edges,
        limits=binning.limits,
        units=units,
    )


def _estimates(information: BinnedInformation, ceiling: float, unit: str) -> dict[str, Estimate]:
    reason, entropy = because(saturated=information.saturated), information.label_entropy
    return {
        "labels": Estimate(information.with_labels, unit, reason, ceiling=entropy),
        "inputs": Estimate(information.with_inputs, unit, reason, ceiling=ceiling),
        "label_entropy": Estimate(entropy, unit),
        "unique_fraction": Estimate(information.unique_fraction, "1"),
    }
