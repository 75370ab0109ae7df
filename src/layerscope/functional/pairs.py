"""Pairs of class means, a tile at a time: nothing here is K×K×D, and no K×K matrix is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

TILE = 2**22  # values of one tile of the K×K matrix
BLOCK = 2**18  # values of one square block of it: what fits a cache
FEW = 64  # points up to which differences are formed directly
NEAR = 1e-4  # squared distances below this share of the squared lengths are formed from differences


@dataclass
class TileMoments:
    """Count, mean, population variance and largest of values that come a tile at a time.

    Tiles are merged by Chan's rule, so that a small variance about a large mean is not lost.
    """

    count: int = 0
    mean: float = 0.0
    largest: float = -math.inf
    _squares: float = 0.0

    def add(self, values: Tensor) -> None:
        """Add the values (m,) of a tile; all finite."""
        if values.numel() == 0:
            return
        size, mean = values.numel(), float(values.mean())
        step, total = mean - self.mean, self.count + size
        spread = float(torch.linalg.vector_norm(values - mean))
        # Products overflow to infinity, where a power of a Python float would raise.
        self._squares += spread * spread + step * (step * self.count / total) * size
        self.mean += step * size / total
        self.count = total
        self.largest = max(self.largest, float(values.max()))

    @property
    def variance(self) -> float:
        """Mean squared distance to the mean."""
        return self._squares / self.count if self.count else math.nan


def row_tiles(count: int) -> Iterator[slice]:
    """Rows of a K×K matrix in tiles of at most ``TILE`` values."""
    height = max(1, TILE // max(count, 1))
    for start in range(0, count, height):
        yield slice(start, min(start + height, count))


def pair_blocks(count: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the blocks that hold the pairs i < j of a K×K matrix.

    A block on the diagonal has equal rows and columns, and only its upper triangle counts; all others lie
    wholly above it. Blocks are square, so that products reuse what they read.
    """
    side = max(1, math.isqrt(min(BLOCK, TILE)))
    if count > side:  # of two parts, three quarters of the matrix would be formed for half of it
        side = math.ceil(count / max(math.ceil(count / side), 3))
    parts = [slice(start, min(start + side, count)) for start in range(0, count, side)]
    for index, rows in enumerate(parts):
        for columns in parts[index:]:
            yield rows, columns


def pairs_of(block: Tensor, rows: slice, columns: slice) -> Tensor:
    """Cells of a block that are pairs i < j, as a vector."""
    if rows != columns:
        return block.flatten()
    cells: Tensor = block[torch.ones_like(block, dtype=torch.bool).triu(diagonal=1)]
    return cells


def cosine_tiles(units: Tensor) -> Iterator[Tensor]:
    """Cosines of the pairs i < j of unit rows (K, D), a tile at a time, as vectors."""
    for rows, columns in pair_blocks(len(units)):
        yield pairs_of(units[rows] @ units[columns].T, rows, columns)


def distance_tiles(points: Tensor) -> Iterator[tuple[slice, slice, Tensor]]:
    """Squared distances of points (K, D), in the blocks of :func:`pair_blocks`.

    Products give them where points are far apart compared with their lengths, differences where not, so
    that close points far from the origin keep their distance.

    Yields
    ------
    rows, columns : slice
    squares : Tensor (rows, columns), float64
    """
    points = points.double()
    for rows, columns in pair_blocks(len(points)):
        yield rows, columns, square_distances(points[rows], points[columns])


def square_distances(left: Tensor, right: Tensor) -> Tensor:
    """Squared distances (m, n) of float64 points (m, D) to (n, D), close ones from their differences."""
    if max(len(left), len(right)) <= FEW:
        mode = "donot_use_mm_for_euclid_dist"  # the expanded square loses close points to rounding
        direct: Tensor = torch.cdist(left, right, compute_mode=mode).square()
        return direct
    scale = left.square().sum(dim=1, keepdim=True) + right.square().sum(dim=1)
    squares = torch.addmm(scale, left, right.T, alpha=-2.0)
    near = (squares < scale.mul_(NEAR)).nonzero()
    for some in torch.split(near, max(1, TILE // left.shape[1])):
        i, j = some.unbind(dim=1)
        squares[i, j] = (left[i] - right[j]).square().sum(dim=1)
    return squares
