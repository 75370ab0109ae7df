"""Distances of some samples to all, a tile of rows at a time: what nearest-neighbour estimators ask for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

Norm = Literal["euclidean", "chebyshev"]

FEW_COLUMNS = 4  # up to which differences are as fast as a product
TRUSTED = 1e-5  # share of the squared lengths below which a product's squared distances lose digits
CPU_TILE, GPU_TILE = 2**16, 2**25  # distances of one tile: what fits a cache, and what fills a GPU


class Metric(Protocol):
    """Distances within one block of variables, or any increasing function of them, float64.

    Calling it gives the distances (m, N) of the samples ``rows`` (m,) to all, in a tensor that the caller
    may change. Unless ``exact``, those below ``trusted_from`` may be off by more than rounding.
    """

    def __call__(self, rows: Tensor, *, exact: bool = False) -> Tensor:
        """Distances of some samples to all."""

    def trusted_from(self, rows: Tensor) -> Tensor:
        """Distances (m,) from which on those that are not exact can be trusted."""


@dataclass(frozen=True)
class Euclidean:
    """Squared Euclidean distances of centred points (N, d) with the squared lengths (N,)."""

    points: Tensor
    squares: Tensor

    def __call__(self, rows: Tensor, *, exact: bool = False) -> Tensor:
        """Squared distances; exact ones are 0 for equal points."""
        if not exact and self.points.shape[1] > FEW_COLUMNS:
            scale = self.squares[rows].unsqueeze(1) + self.squares
            return torch.addmm(scale, self.points[rows], self.points.T, alpha=-2.0)
        total = _differences(self.points, rows, 0).square_()
        for column in range(1, self.points.shape[1]):
            difference = _differences(self.points, rows, column)
            total.addcmul_(difference, difference)
        return total

    def trusted_from(self, rows: Tensor) -> Tensor:
        """Squared distances."""
        if self.points.shape[1] <= FEW_COLUMNS:
            return torch.zeros_like(self.squares[rows])
        return TRUSTED * (self.squares[rows] + self.squares.max())


@dataclass(frozen=True)
class Chebyshev:
    """Largest difference of any coordinate of points (N, d)."""

    points: Tensor

    def __call__(self, rows: Tensor, *, exact: bool = False) -> Tensor:
        """Distances; always exact."""
        largest = _differences(self.points, rows, 0).abs_()
        for column in range(1, self.points.shape[1]):
            torch.maximum(largest, _differences(self.points, rows, column).abs_(), out=largest)
        return largest

    def trusted_from(self, rows: Tensor) -> Tensor:
        """Distances."""
        return torch.zeros(len(rows), dtype=torch.float64, device=rows.device)


@dataclass(frozen=True)
class SameLabel:
    """0 between samples of one label, infinite between others: labels (N,) have no other distance."""

    labels: Tensor

    def __call__(self, rows: Tensor, *, exact: bool = False) -> Tensor:
        """Distances; always exact."""
        other = self.labels[rows].unsqueeze(1) != self.labels
        zeros = torch.zeros(other.shape, dtype=torch.float64, device=other.device)
        return zeros.masked_fill_(other, math.inf)

    def trusted_from(self, rows: Tensor) -> Tensor:
        """Distances."""
        return torch.zeros(len(rows), dtype=torch.float64, device=rows.device)


def metric_of(points: Tensor, norm: Norm) -> Metric:
    """The metric of a norm for points (N, d), float64.

    Raises
    ------
    ValueError
        Another norm than ``euclidean`` and ``chebyshev``.
    """
    if norm == "euclidean":
        offsets = points - points.mean(dim=0)  # so that products lose no digits to a common offset
        return Euclidean(offsets, offsets.square().sum(dim=1))
    if norm == "chebyshev":
        return Chebyshev(points)
    raise ValueError(f"the norm of a block is 'euclidean' or 'chebyshev', not {norm!r}")


def row_blocks(count: int, device: torch.device) -> Iterator[Tensor]:
    """Rows of an N×N matrix of distances, as many at a time as the device likes."""
    size = CPU_TILE if device.type == "cpu" else GPU_TILE
    yield from torch.split(torch.arange(count, device=device), max(1, size // max(count, 1)))


def _differences(points: Tensor, rows: Tensor, column: int) -> Tensor:
    values = points[:, column]
    return values[rows].unsqueeze(1) - values
