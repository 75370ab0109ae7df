"""The weight of a layer as a matrix."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from layerscope.features.taps import Layer

WEIGHT_VECTORS = 100  # of each weight that are compared with class means


def kept_vectors(num_classes: int, *, many: bool) -> int:
    """How many right singular vectors of a weight measures look at, at most: one for each class, or 100."""
    return max(WEIGHT_VECTORS, num_classes) if many else num_classes


def weight_matrix(module: nn.Module) -> Tensor | None:
    """Weight of a linear or convolutional layer as (out, in · kernel); None for other modules."""
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return module.weight.detach().flatten(start_dim=1)
    return None


def weight_shapes(model: nn.Module, layers: Sequence[Layer]) -> tuple[tuple[int, int], ...]:
    """Rows and columns of the weights of layers, where they have one; on any device."""
    found = (weight_matrix(model.get_submodule(layer.module_name)) for layer in layers)
    return tuple((len(matrix), matrix.shape[1]) for matrix in found if matrix is not None)
