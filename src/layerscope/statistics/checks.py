"""What every accumulator asks of labels and features before it counts them."""

from __future__ import annotations

import torch
from torch import Tensor

from layerscope.functional.points import check_range


def check_labels(labels: Tensor, samples: int, num_classes: int) -> None:
    """Refuse labels that are no integers in 0 … K-1, or not one per sample.

    Raises
    ------
    ValueError
    """
    if labels.shape != (samples,):
        raise ValueError(f"{samples} features must have as many labels, not {tuple(labels.shape)}")
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be integers, not {labels.dtype}")
    check_range(labels, num_classes)


def check_features(features: Tensor, dim: int) -> None:
    """Refuse features that are not (batch, dim).

    Raises
    ------
    ValueError
    """
    if features.ndim != 2 or features.shape[1] != dim:
        raise ValueError(f"features must be (batch, {dim}), not {tuple(features.shape)}")


def not_finite(features: Tensor) -> str:
    """How many samples have features that are not finite, as a message."""
    bad = ~features.isfinite().all(dim=1)
    return f"{int(bad.sum())} of {len(features)} samples have features that are not finite (or overflow)"
