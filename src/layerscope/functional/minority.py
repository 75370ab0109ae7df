"""Minority collapse: the vectors of rare classes come together."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def group_cosine(vectors: Tensor) -> float:
    """Mean cosine over pairs of the vectors (n, D) of a group: 1 when they collapse, -1/(K-1) in an ETF.

    NaN for fewer than two vectors, or when one has no direction. Fang et al. (2021), arXiv:2101.12699.
    """
    if len(vectors) < 2 or not _directed(vectors):
        return math.nan
    units = _units(vectors)
    pairs = len(units) * (len(units) - 1)
    return float((units.sum(dim=0).square().sum() - len(units)) / pairs)


def cosine_between(first: Tensor, second: Tensor) -> tuple[float, float]:
    """Mean cosine, and mean angle in degrees, over pairs of a vector of (m, D) and one of (n, D).

    NaN for an empty group, or when a vector has no direction.
    """
    if not (len(first) and len(second) and _directed(first) and _directed(second)):
        return math.nan, math.nan
    cosines = _units(first) @ _units(second).T
    return float(cosines.mean()), float(torch.rad2deg(torch.acos(cosines.clamp(-1, 1))).mean())


def norm_ratio(first: Tensor, second: Tensor) -> float:
    """Mean length of the vectors of one group over that of another; NaN when a group is empty, or all 0."""
    if not (len(first) and len(second)):
        return math.nan
    one, other = (float(torch.linalg.vector_norm(group.double(), dim=1).mean()) for group in (first, second))
    if other:
        return one / other
    return math.inf if one else math.nan


def _directed(vectors: Tensor) -> bool:
    return bool((torch.linalg.vector_norm(vectors, dim=1) > 0).all())


def _units(vectors: Tensor) -> Tensor:
    doubles = vectors.double()
    return doubles / torch.linalg.vector_norm(doubles, dim=1, keepdim=True)
