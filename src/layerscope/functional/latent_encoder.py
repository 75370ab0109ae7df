"""The learnt map from a block of features to its latent space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.functional.latent_alignment import Alignment
from layerscope.functional.latent_inputs import Projection
from layerscope.functional.latent_networks import Stack, pad_to
from layerscope.functional.latent_training import BLOCK


@dataclass(frozen=True, eq=False)
class LatentEncoder:
    """The learnt map of one block to its latent space, turned to what it shares with the other block."""

    projection: Projection
    stack: Stack
    alignment: Alignment | None = None

    def __call__(self, points: Tensor) -> Tensor:
        """Latents (N, d) of features (N,) or (N, D), float64, independent of how many come together."""
        columns = as_columns(points)
        latents = torch.cat([self._encode(part) for part in torch.split(columns, BLOCK)]).double()
        return latents if self.alignment is None else self.alignment(latents)

    def _encode(self, points: Tensor) -> Tensor:
        """At most BLOCK samples, in products of always the same shape."""
        filled = pad_to(points, BLOCK, points.shape[1])
        inputs = pad_to(self.projection(filled).float(), BLOCK, self.stack.weights[0].shape[1])
        with torch.no_grad():
            return self.stack.encode(inputs.unsqueeze(0))[0, : len(points)]


def as_columns(points: Tensor) -> Tensor:
    """Samples (N,) or (N, D) as a matrix."""
    return points.unsqueeze(1) if points.ndim == 1 else points
