"""Soft ranks of a matrix: how many of its singular values matter. All lie between 1 and the rank."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.points import check_points


def singular_values(matrix: Tensor) -> Tensor:
    """Singular values (m,) in float64, descending, without the vectors.

    Beyond 4096 rows and columns they are square roots of the eigenvalues of the smaller Gram matrix, which
    resolves values down to :math:`10^{-8}` of the largest.

    Raises
    ------
    ValueError
        Not a matrix, or entries that are not finite.
    """
    if matrix.ndim != 2:
        raise ValueError(f"singular values are those of a matrix, not of a tensor of {tuple(matrix.shape)}")
    check_points(matrix, "matrix")
    matrix = matrix.double()
    if min(matrix.shape) <= 4096:
        values: Tensor = torch.linalg.svdvals(matrix)
        return values
    inner = matrix @ matrix.T if matrix.shape[0] < matrix.shape[1] else matrix.T @ matrix
    return torch.linalg.eigvalsh(inner).clamp(min=0).sqrt().flip(0)


def stable_rank(values: Tensor) -> float:
    r""":math:`\|A\|_F^2/\|A\|_2^2 = \sum s^2/s_1^2` of singular values (m,), descending.

    Rank one: 1. Identity of size d: d. Zero matrix: NaN.
    """
    scaled = _scaled(values)
    return float(scaled.square().sum()) if scaled is not None else math.nan


def effective_rank(values: Tensor) -> float:
    r""":math:`\exp(-\sum p\ln p)`, :math:`p = s/\sum s` (Roy, Vetterli 2007); NaN for a zero matrix."""
    scaled = _scaled(values)
    if scaled is None:
        return math.nan
    shares = scaled / scaled.sum()
    return math.exp(-float(torch.special.xlogy(shares, shares).sum()))


def participation_ratio(values: Tensor) -> float:
    r""":math:`(\sum s^2)^2/\sum s^4`, the participation ratio of the eigenvalues :math:`s^2`."""
    scaled = _scaled(values)
    if scaled is None:
        return math.nan
    squares = scaled.square()
    return float(squares.sum().square() / squares.square().sum())


def nuclear_rank(values: Tensor) -> float:
    r""":math:`\|A\|_*/\|A\|_2 = \sum s/s_1`; some code calls it stable rank."""
    scaled = _scaled(values)
    return float(scaled.sum()) if scaled is not None else math.nan


def nuclear_frobenius(values: Tensor) -> float:
    r""":math:`\|A\|_*/\|A\|_F` of singular values: 1 for rank one, :math:`\sqrt d` for an identity."""
    scaled = _scaled(values)
    return float(scaled.sum() / scaled.norm()) if scaled is not None else math.nan


def approximate_rank(values: Tensor, share: float) -> float:
    """Least number of leading singular values whose sum is at least ``share`` of the whole sum."""
    scaled = _scaled(values)
    if scaled is None:
        return math.nan
    cumulative = scaled.cumsum(dim=0)
    reached = cumulative >= share * cumulative[-1] * (1 - 4 * torch.finfo(torch.float64).eps)
    return float(reached.int().argmax()) + 1.0


def cutoff_rank(values: Tensor, threshold: float) -> float:
    """Number of leading singular values that are at least ``threshold`` of the sum of all."""
    scaled = _scaled(values)
    return float((scaled / scaled.sum() >= threshold).sum()) if scaled is not None else math.nan


def _scaled(values: Tensor) -> Tensor | None:
    """Values over the largest, so that no square overflows; None when all are zero."""
    values = values.double()
    if values.numel() == 0 or not values[0] > 0:
        return None
    scaled: Tensor = values / values[0]
    return scaled
