"""How wide a Gaussian kernel is: a number, or a rule that follows the data."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.neighbors import nearest_neighbors
from layerscope.functional.pairs import distance_tiles, pairs_of
from layerscope.functional.points import check_points

FEW = 2000  # points that a rule looks at
RULES = "a positive number, 'median', 'knn:K' or 'sqrtD:C'"


def bandwidth_of(points: Tensor, rule: float | str, *, seed: int = 0) -> float:
    r"""Bandwidth :math:`\sigma` that a rule gives for points (n, D), in units of the features.

    - a number: itself;
    - ``"median"``: median of the pairwise distances;
    - ``"knn:K"``: median over the points of the distance to the K-th nearest other point;
    - ``"sqrtD:C"``: :math:`C\sqrt D`.

    ``median`` looks at a random subset of at most 2,000 points, ``knn`` at the neighbours that such a subset
    has among all. Both scale with the data, so that what follows does not depend on its units.

    Parameters
    ----------
    points : Tensor (n, D)
    rule : float or str
    seed : int
        Of the subset.

    Returns
    -------
    float
        0 when a rule of distances finds that most points coincide, and for fewer than two points.

    Raises
    ------
    ValueError
        An unknown rule, a number that is not positive and finite, or more neighbours than points.
    """
    check_points(points)
    if not isinstance(rule, str):
        return _positive(rule, rule)
    name, _, argument = rule.partition(":")
    if name == "sqrtD":
        return _positive(_number(argument, rule), rule) * math.sqrt(points.shape[1])
    subset = random_subset(len(points), FEW, seed).to(points.device)
    if rule == "median":
        return _median_distance(points[subset])
    if name == "knn" and argument.isdigit():
        near = nearest_neighbors(points, int(argument), subset)[0][:, -1]
        return float(near.quantile(0.5))
    raise ValueError(f"a bandwidth is {RULES}, not {rule!r}")


def random_subset(count: int, size: int, seed: int) -> Tensor:
    """Indices of ``size`` of ``count`` things, ascending; all of them when there are no more."""
    if count <= size:
        return torch.arange(count)
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=generator)[:size].sort().values


def _median_distance(points: Tensor) -> float:
    if len(points) < 2:
        return 0.0
    offsets = points.double() - points.double().mean(dim=0)
    squares = torch.cat(
        [pairs_of(tile, rows, columns) for rows, columns, tile in distance_tiles(offsets)]
    )  # at most FEW * (FEW - 1) / 2
    return _median(squares.clamp_(min=0).sqrt_())


def _median(values: Tensor) -> float:
    """Median of values (m,), the mean of the middle two when m is even; without sorting them all."""
    count = len(values)
    low = float(values.kthvalue((count + 1) // 2).values)
    if count % 2 or int((values <= low).sum()) > count // 2:
        return low
    return (low + float(values[values > low].min())) / 2


def _number(text: str, rule: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"a bandwidth is {RULES}, not {rule!r}") from None


def _positive(value: float, rule: float | str) -> float:
    if not (0 < value < math.inf):
        raise ValueError(f"a bandwidth is {RULES}, not {rule!r}")
    return float(value)
