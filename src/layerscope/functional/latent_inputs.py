"""What latent networks see of a block of features: its z-scores along their leading principal components."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.functional.principal import orientation, principal_axes

NOTHING = 1e-7  # share of the largest singular value from which on a direction varies
CLIP = 10.0  # z-scores beyond are outliers that would rule the squared error


@dataclass(frozen=True, eq=False)
class Projection:
    """A map from features (N, D) to coordinates (N, c), learnt from training samples.

    Attributes
    ----------
    mean, scale : Tensor (D,)
        Of the training samples; the scale of constant columns is 1.
    directions : Tensor (D, c)
        Orthonormal, over the largest standard deviation of a coordinate.
    spread : float
        Total variance of the training samples' coordinates; 1 if nothing varies.
    """

    mean: Tensor
    scale: Tensor
    directions: Tensor
    spread: float

    def __call__(self, points: Tensor) -> Tensor:
        """Coordinates of features (N, D), float64."""
        z = (points.double() - self.mean) / self.scale
        coordinates: Tensor = z.clamp_(-CLIP, CLIP) @ self.directions
        return coordinates


def projection(points: Tensor, components: int) -> Projection:
    """The projection onto at most ``components`` principal components of z-scores (n, D).

    The squared error of a reconstruction is the same in these coordinates as in the z-scores, but for what
    the components left out carry.
    """
    values = points.double()
    mean = values.mean(dim=0)
    deviation = (values - mean).square().mean(dim=0).sqrt()
    scale = torch.where(deviation > 0, deviation, 1.0)
    z = ((values - mean) / scale).clamp_(-CLIP, CLIP)
    centered = z - z.mean(dim=0)
    sizes, axes = principal_axes(centered, components)
    kept = int((sizes > sizes[0] * NOTHING).sum()) if sizes[0] > 0 else 1
    directions = axes[:, :kept] * orientation(axes[:, :kept])
    largest = float(sizes[0]) / len(z) ** 0.5 if sizes[0] > 0 else 1.0
    spread = float((centered @ directions / largest).square().sum(dim=1).mean())
    return Projection(mean, scale, directions / largest, spread if spread > 0 else 1.0)
