"""NC3 inside the network: alignment of the class means with the weights that read them."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from layerscope.functional.between import centered, rounding_floor
from layerscope.functional.spectra import spectrum
from layerscope.functional.subspaces import mean_subspace_cosine, numerical_rank, top_alignment
from layerscope.measures.base import (
    CheckpointStatistics,
    LayerStatistics,
    Need,
    Subject,
    Value,
    because,
    class_weights_of,
    each_split,
)

GAP = 1e-10  # relative gap below which the leading singular space is not unique


class AngleBetweenSubspaces:
    r"""Mean cosine of the principal angles between class means and the top singular space of the weight.

    :math:`\frac1r \sum_j \sigma_j(V_r^\top U_r)` with V_r the leading right singular vectors of W, U_r
    those that span the centred class means at the layer's input, and r = min(K-1, rank W, rank of the
    means). For a convolution both live in channel space: W as (in-channels, out-channels · kernel), the
    means as (in-channels, K · positions).

    Qualifier ``rank``: r. In [0, 1]. Degenerate when a leading space is not unique (equal singular values
    at its edge, or directions of the means that the features' rounding alone can make), and when both are
    the whole space, where it is 1 whatever they are. Undefined when all means coincide. With the weighting
    ``inc`` the means are as they are and r = K, as in the original code, whose last direction is arbitrary
    (always degenerate). Skipped for layers that are not tapped at the input, are projected, or have no weight
    matrix (a grouped convolution has none) that reads the features as they were reduced.
    """

    name = "AngleBetweenSubspaces"
    qualifiers = ("rank",)
    needs = Need.MOMENTS | Need.SPECTRUM

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per layer and split."""
        spaces = {id(entry): _weight_space(entry) for entry in statistics.layers}
        for subject, entry, _, moments in each_split(statistics):
            space = spaces[id(entry)]
            means = moments.means
            inc = statistics.weighting == "inc"
            offsets = means if inc else centered(means, class_weights_of(moments, statistics).center)[0]
            columns = _means_in_weight_space(offsets, entry)
            if space is None or len(space[1]) != len(columns):
                yield subject, Value({"rank": 0}, math.nan, "skipped")
                continue
            if inc:
                yield subject, _uncentered_alignment(space[1], columns, len(means))
                continue
            yield subject, _alignment(*space, columns, means, moments.reference.dtype)


def _alignment(
    weight_values: Tensor, weight_space: Tensor, columns: Tensor, means: Tensor, dtype: torch.dtype
) -> Value:
    means_space, means_values, _ = torch.linalg.svd(columns, full_matrices=False)
    weight_rank = numerical_rank(weight_values, (len(weight_space), len(weight_values)))
    means_rank = numerical_rank(means_values, (columns.shape[0], columns.shape[1]))
    means_rank = min(means_rank, _above_rounding(means_values, means, torch.float64))
    rank = min(len(means) - 1, weight_rank, means_rank)
    value = mean_subspace_cosine(weight_space[:, :rank], means_space[:, :rank])
    unique = _unique(weight_values, rank) and _unique(means_values, rank)
    resolved = rank <= _above_rounding(means_values, means, dtype)
    reason = because(not_unique=not unique, rounding=not resolved, whole_space=rank == len(weight_space))
    return Value({"rank": rank}, value, reason=reason)


def _uncentered_alignment(weight_space: Tensor, columns: Tensor, rank: int) -> Value:
    """The original code's value: r = K directions of the means as they are, of which one is arbitrary."""
    means_space, _, _ = torch.linalg.svd(columns, full_matrices=False)
    return Value({"rank": rank}, top_alignment(weight_space, means_space, rank), reason="convention")


def _above_rounding(values: Tensor, means: Tensor, dtype: torch.dtype) -> int:
    """Number of singular values of the unscaled centred means that rounding in ``dtype`` cannot explain."""
    return int((values > math.sqrt(len(means)) * rounding_floor(means, dtype)).sum())


def _unique(values: Tensor, rank: int) -> bool:
    """Whether the space of the first ``rank`` singular vectors is determined."""
    if rank == 0 or rank >= len(values):
        return True
    return bool(values[rank - 1] - values[rank] > GAP * values[0])


def _weight_space(entry: LayerStatistics) -> tuple[Tensor, Tensor] | None:
    """Singular values and vectors of the weight in the space of the layer's input."""
    if entry.where != "input" or entry.reduce.startswith("project"):
        return None
    module = entry.module
    if isinstance(module, nn.Linear) and entry.spectrum is not None:
        return entry.spectrum.values, entry.spectrum.right
    if isinstance(module, nn.Conv2d) and module.groups == 1:
        by_channel = module.weight.detach().double().transpose(0, 1).flatten(start_dim=1)
        found = spectrum(by_channel.mT)
        return found.values, found.right
    return None


def _means_in_weight_space(offsets: Tensor, entry: LayerStatistics) -> Tensor:
    """Centred means (K, D) as columns in the space the weight reads: (features, K · positions)."""
    shape = entry.layer.shape
    if entry.reduce != "flatten" or len(shape) == 1:
        return offsets.T
    by_position = offsets.view(len(offsets), *shape)
    axis = 1 if isinstance(entry.module, nn.Conv2d) else by_position.ndim - 1
    return by_position.movedim(axis, 0).flatten(start_dim=1)
