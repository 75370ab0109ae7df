"""DSE: how many directions a layer's points spread in, by the entropy of a diffusion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from layerscope.config.sections.information import InformationConfig, neighbors_of
from layerscope.functional.adjacency import adjacency_spectrum, graph_spectrum, neighbor_graph
from layerscope.functional.diffusion import matrix_entry_entropy
from layerscope.functional.eigenvalues import spectral_entropy, spectral_entropy_error
from layerscope.functional.units import in_units
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.observed import Observed

ANY = "any"  # where the power does not matter


class DSE:
    r"""Diffusion spectral entropy of a sample of features, and relatives on the same kernel.

    Qualifiers ``statistic``: ``entropy`` (of the eigenvalues of the diffusion, to the power ``t``),
    ``matrix_entry`` (of one random step), when asked for ``adjacency`` or ``adjacency_knn`` (of the
    eigenvalues of the kernel, or of the graph of nearest neighbours), ``bandwidth`` (σ, in units of the
    features); ``alpha``: of the diffusion; ``t``; ``n``: samples. In [0, ln n], the ``ceiling`` (2 ln n for
    ``matrix_entry``). ``entropy`` is degenerate above 95 % of it: nearly every point stands alone. ``error``
    is that of half samples (``Measurements.repeats``), else of the quadrature beyond 5,000 samples. Undefined
    with no more samples than the K of a bandwidth ``knn:K``.
    """

    name = "DSE"
    qualifiers = ("statistic", "alpha", "t", "n")
    needs = Need.SAMPLE

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per power and three more, for every layer and split."""
        yield from estimated_values(statistics, self.qualifiers, _entropies)


LONELY = 0.95


def _entropies(observed: Observed) -> Mapping[Place, Estimate]:
    settings, unit = observed.estimation.settings, observed.estimation.unit
    if not observed.has_kernel:
        return {**_undefined(settings, unit), **_adjacency(observed)}
    units, alpha, count = settings.units, f"{settings.alpha:g}", len(observed)
    ceiling = in_units(math.log(count), units)
    found: dict[Place, Estimate] = {}
    for t in settings.times:
        value = spectral_entropy(observed.spectrum, t, units=units)
        error = None if observed.spectrum.exact else spectral_entropy_error(observed.spectrum, t, units=units)
        reason = because(ceiling=count > 1 and value > LONELY * ceiling)
        found["entropy", alpha, f"{t:g}"] = Estimate(value, unit, reason, error, ceiling)
    affinity = observed.affinity()
    entries = matrix_entry_entropy(affinity, alpha=settings.alpha, units=units)
    found["matrix_entry", alpha, "1"] = Estimate(entries, unit, ceiling=2 * ceiling)
    found["bandwidth", ANY, ANY] = Estimate(affinity.bandwidth, "feature")
    return {**found, **_adjacency(observed)}


def _undefined(settings: InformationConfig, unit: str) -> dict[Place, Estimate]:
    alpha, nothing = f"{settings.alpha:g}", Estimate(math.nan, unit)
    found: dict[Place, Estimate] = {("entropy", alpha, f"{t:g}"): nothing for t in settings.times}
    found["matrix_entry", alpha, "1"] = nothing
    found["bandwidth", ANY, ANY] = Estimate(math.nan, "feature")
    return found


def _adjacency(observed: Observed) -> dict[Place, Estimate]:
    """Of the graph that is asked for, if any; in float64 always, for small eigenvalues count here."""
    settings = observed.estimation.settings
    if not settings.adjacency:
        return {}
    neighbors, enough = neighbors_of(settings.adjacency), observed.has_kernel
    if neighbors:
        enough = len(observed) > neighbors
    value = math.nan
    if enough and neighbors:
        value = spectral_entropy(graph_spectrum(neighbor_graph(observed.features, neighbors)))
    elif enough:
        value = spectral_entropy(adjacency_spectrum(observed.affinity("float64")))
    statistic = "adjacency_knn" if neighbors else "adjacency"
    value, ceiling = (in_units(nats, settings.units) for nats in (value, math.log(len(observed))))
    return {(statistic, ANY, "1"): Estimate(value, observed.estimation.unit, ceiling=ceiling)}
