"""NC1: variability collapse relative to the class means."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.functional.between import BetweenBasis, rounding_floor
from layerscope.functional.traces import between_trace
from layerscope.functional.variability import (
    nc1_from_energies,
    nc1_quotient,
    nc1_range_fraction,
    nc1_svd_from_energies,
)
from layerscope.functional.weighting import ClassWeights
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    because,
    class_weights_of,
    each_split,
)


class NC1:
    r"""tr(Σ_w Σ_b⁺)/K and its relatives.

    Qualifier ``statistic``: ``pinv`` (tr(Σ_w Σ_b⁺)/K), ``svd`` (the same with all K-1 directions forced, so
    infinite below that rank), ``quotient`` (tr Σ_w / tr Σ_b), ``range_fraction`` (share of tr Σ_w in the
    span of the class means), ``rank`` (of Σ_b). ``pinv`` is degenerate when the rank beyond the rounding of
    the features is below min(D, K-1), ``quotient`` when it is 0, and both when no class has two samples.
    Undefined with fewer than two classes.
    """

    name = "NC1"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS | Need.SCATTER

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Five values per layer and split."""
        for subject, _, split, moments in each_split(statistics):
            basis, scatter = split.basis, split.scatter
            if basis is None or scatter is None:
                continue
            weights, means = class_weights_of(moments, statistics), moments.means
            within = float(weights.pooled @ moments.variances)
            energies = scatter.pooled(weights.pooled)
            single = bool((moments.counts <= 1).all())
            pinv = nc1_from_energies(energies, basis, within, subject.classes)
            sure = _rank_beyond_rounding(basis, means, moments.reference.dtype)
            reason = because(singletons=single, rank=sure < min(subject.dim, subject.classes - 1))
            yield subject, Value({"statistic": "pinv"}, pinv, reason=reason)
            svd = nc1_svd_from_energies(energies, basis, within, subject.classes)
            yield subject, Value({"statistic": "svd"}, svd, reason=reason)
            quotient = _quotient(within, means, weights, basis)
            reason = because(singletons=single, rank=sure == 0)
            yield subject, Value({"statistic": "quotient"}, quotient, reason=reason)
            yield subject, Value({"statistic": "range_fraction"}, nc1_range_fraction(energies, within))
            yield subject, Value({"statistic": "rank"}, float(basis.rank))


def _rank_beyond_rounding(basis: BetweenBasis, means: Tensor, dtype: torch.dtype) -> int:
    """Number of directions of the means that the rounding of features of ``dtype`` cannot make."""
    return int((basis.singular_values > rounding_floor(means, dtype)).sum())


def _quotient(within: float, means: Tensor, weights: ClassWeights, basis: BetweenBasis) -> float:
    """tr Σ_w / tr Σ_b, where a between trace of mere rounding is none, and one class has none to speak of."""
    if len(means) < 2:
        return math.nan
    between = between_trace(means, weights.between, center=weights.center) if basis.rank else 0.0
    return nc1_quotient(within, between)
