"""NC1: variability collapse relative to the class means."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from layerscope.functional.between import BetweenBasis
from layerscope.functional.variability import (
    between_trace,
    nc1_from_energies,
    nc1_quotient,
    nc1_range_fraction,
)
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    class_weights_of,
    each_split,
    rounding_of,
    status_of,
)
from layerscope.statistics.class_moments import ClassMoments


class NC1:
    r"""tr(Σ_w Σ_b⁺)/K and its relatives.

    Qualifier ``statistic``: ``pinv`` (tr(Σ_w Σ_b⁺)/K), ``quotient`` (tr Σ_w / tr Σ_b), ``range_fraction``
    (share of tr Σ_w in the span of the class means), ``rank`` (of Σ_b). ``pinv`` is degenerate when the rank
    beyond the rounding of the features is below min(D, K-1); it and ``quotient`` are when no class has two
    samples. Undefined with fewer than two classes.
    """

    name = "NC1"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS | Need.SCATTER

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Four values per layer and split."""
        for subject, _, split, moments in each_split(statistics):
            basis, scatter = split.basis, split.scatter
            if basis is None or scatter is None:
                continue
            weights = class_weights_of(moments, statistics)
            within = float(weights @ moments.variances)
            energies = scatter.pooled(weights)
            single = bool((moments.counts <= 1).all())
            pinv = nc1_from_energies(energies, basis, within, subject.classes)
            fragile = single or _deficient(basis, moments, subject.dim)
            yield subject, Value({"statistic": "pinv"}, pinv, status_of(pinv, degenerate=fragile))
            quotient = _quotient(within, moments.means, weights, basis)
            yield subject, Value({"statistic": "quotient"}, quotient, status_of(quotient, degenerate=single))
            yield subject, Value({"statistic": "range_fraction"}, nc1_range_fraction(energies, within))
            yield subject, Value({"statistic": "rank"}, float(basis.rank))


def _deficient(basis: BetweenBasis, moments: ClassMoments, dim: int) -> bool:
    """Whether the class means span less than they could, once directions of mere rounding are left out."""
    rounding = rounding_of(moments, moments.reference.dtype)
    rank = int((basis.singular_values > rounding).sum())
    return rank < min(dim, len(moments.present) - 1)


def _quotient(within: float, means: Tensor, weights: Tensor, basis: BetweenBasis) -> float:
    """tr Σ_w / tr Σ_b, where a between trace of mere rounding is none, and one class has none to speak of."""
    if len(means) < 2:
        return math.nan
    return nc1_quotient(within, between_trace(means, weights) if basis.rank else 0.0)
