"""The weight of a layer as a matrix."""

from __future__ import annotations

from torch import Tensor, nn


def weight_matrix(module: nn.Module) -> Tensor | None:
    """Weight of a linear or convolutional layer as (out, in · kernel); None for other modules."""
    if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)):
        return module.weight.detach().flatten(start_dim=1)
    return None
