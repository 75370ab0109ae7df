"""Latents of two blocks along their canonical correlations, so that what they share decides what is near."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

FLOOR = 0.1  # least weight of a direction, as a share of the largest: what is not linear may lie there
NOTHING = 1e-4  # share of the largest singular value below which latents do not vary


@dataclass(frozen=True, eq=False)
class Alignment:
    """An affine map of latents.

    Attributes
    ----------
    mean : Tensor (d,)
    matrix : Tensor (d, m)
    """

    mean: Tensor
    matrix: Tensor

    def __call__(self, latents: Tensor) -> Tensor:
        """Coordinates (N, m) of latents (N, d), float64."""
        return (latents.double() - self.mean) @ self.matrix


def alignments(left: Tensor, right: Tensor) -> tuple[Alignment, Alignment]:
    r"""Maps of two blocks of latents to their canonical directions, each weighted with its correlation.

    Nearest neighbours take every direction for as telling as it is long. Where latents carry what only one of
    the blocks knows, noise for instance, that hides what both know. So latents become white, are turned to
    the canonical directions of Hotelling (1936), Biometrika 28, and stretched by
    :math:`\max(\rho_i, 0.1\rho_1)`. Both maps are invertible on what varies: no information is lost.

    Parameters
    ----------
    left, right : Tensor (n, d), (n, d')
        Latents of the same training samples.
    """
    (from_left, left_map), (from_right, right_map) = _white(left), _white(right)
    cross = left_map(left).T @ right_map(right) / len(left)
    turned, correlations, other = torch.linalg.svd(cross)
    weights = [_weights(correlations, size) for size in (from_left, from_right)]
    return (
        Alignment(left_map.mean, left_map.matrix @ turned * weights[0]),
        Alignment(right_map.mean, right_map.matrix @ other.T * weights[1]),
    )


def _white(latents: Tensor) -> tuple[int, Alignment]:
    """How many directions vary, and the map that gives them variance 1."""
    points = latents.double()
    mean = points.mean(dim=0)
    _, sizes, right = torch.linalg.svd(points - mean, full_matrices=False)
    kept = sizes > sizes.max() * NOTHING
    matrix = right[kept].T / sizes[kept] * math.sqrt(len(points))
    return int(kept.sum()), Alignment(mean, matrix)


def _weights(correlations: Tensor, size: int) -> Tensor:
    """Weights (size,), the largest 1; equal ones when nothing correlates."""
    found = torch.zeros(size, dtype=torch.float64, device=correlations.device)
    found[: len(correlations)] = correlations.clamp(max=1.0)
    largest = found.max() if size else found.sum()
    return (found / largest).clamp(min=FLOOR) if largest > 0 else torch.ones_like(found)
