"""Nearest neighbours among points, a tile of distances at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from layerscope.functional.pairs import TILE, square_distances
from layerscope.functional.points import check_points


def nearest_neighbors(points: Tensor, k: int, queries: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Distances to the k nearest other points, and their indices.

    Parameters
    ----------
    points : Tensor (n, D)
    k : int
        At least 1, less than n.
    queries : Tensor (m,), optional
        Indices of the points whose neighbours are wanted; all when omitted.

    Returns
    -------
    distances : Tensor (m, k), float64
        Ascending.
    indices : Tensor (m, k), int64
        Which of several equally far ones come is left open.

    Raises
    ------
    ValueError
        Points as :func:`check_points` refuses them, or too few for k.
    """
    check_points(points)
    if not 1 <= k < len(points):
        raise ValueError(f"{len(points)} points have no {k} nearest neighbors; ask for 1 to n - 1")
    offsets = points.double() - points.double().mean(dim=0)
    wanted = torch.arange(len(points), device=points.device) if queries is None else queries
    found = [_nearest(offsets, rows, k) for rows in torch.split(wanted, max(1, TILE // len(points)))]
    return torch.cat([near for near, _ in found]), torch.cat([which for _, which in found])


def _nearest(points: Tensor, rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    squares = square_distances(points[rows], points)
    squares[torch.arange(len(rows), device=rows.device), rows] = torch.inf  # nobody is its own neighbour
    near, which = squares.topk(k, dim=1, largest=False)
    return near.sqrt(), which
