"""The Gaussian kernel of a cloud of points: kept whole where it fits, a tile at a time where not."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.bandwidth import bandwidth_of
from layerscope.functional.between import EPS
from layerscope.functional.pairs import pair_blocks, square_distances
from layerscope.functional.points import check_points

Precision = Literal["float64", "float32"]
DTYPES = {"float64": torch.float64, "float32": torch.float32}
MEMORY = 2**30  # bytes up to which the whole matrix is kept
EPS_SINGLE = torch.finfo(torch.float32).eps
ROUNDING, ROUNDING_SINGLE = 1e-10, 1e-5  # error of an exponent from which distances get more care


@dataclass(frozen=True)
class Affinity:
    r""":math:`W_{ij} = \exp(-|x_i-x_j|^2/2\sigma^2)` of n points, symmetric, with ones on the diagonal.

    Attributes
    ----------
    points : Tensor (n, D), float64
        About their mean.
    bandwidth : float
        :math:`\sigma`; for 0 the limit, 1 between equal points and 0 otherwise.
    dtype : torch.dtype
        Of the entries.
    memory : int
        Bytes up to which all entries are kept.
    dense : Tensor (n, n), optional
        All entries, when they are kept.
    """

    points: Tensor
    bandwidth: float
    dtype: torch.dtype
    memory: int
    dense: Tensor | None = None

    def __len__(self) -> int:
        return len(self.points)

    def restricted(self, index: Tensor) -> Affinity:
        """The kernel between the points of an index (m,), with the same bandwidth."""
        if self.dense is not None:
            return replace(self, points=self.points[index], dense=self.dense[index.unsqueeze(1), index])
        return _kept(replace(self, points=self.points[index]))

    def product(self, vectors: Tensor) -> Tensor:
        """W times vectors (n, p), in the precision of the entries."""
        vectors = vectors.to(self.dtype)
        if self.dense is not None:
            return self.dense @ vectors
        total = torch.zeros_like(vectors)
        for rows, columns, tile in affinity_tiles(self):
            total[rows] += tile @ vectors[columns]
            if rows != columns:
                total[columns] += tile.T @ vectors[rows]
        return total


def gaussian_affinity(
    points: Tensor,
    bandwidth: float | str = "median",
    *,
    precision: Precision = "float64",
    memory: int = MEMORY,
    seed: int = 0,
) -> Affinity:
    r"""Gaussian kernel of points (n, D), from which every spectrum and entropy here is computed.

    Parameters
    ----------
    points : Tensor (n, D)
    bandwidth : float or str
        :math:`\sigma`, or a rule of :func:`bandwidth_of`.
    precision : "float64" | "float32"
        Of the entries.
    memory : int
        Bytes up to which all entries are kept; beyond, they are computed anew, in tiles, when needed.
    seed : int
        Of the rule.

    Raises
    ------
    ValueError
        Points that are no finite matrix, or an unknown bandwidth or precision.
    """
    check_points(points)
    if precision not in DTYPES:
        raise ValueError(f"precision must be 'float64' or 'float32', not {precision!r}")
    offsets = points.double() - points.double().mean(dim=0)
    return _kept(Affinity(offsets, bandwidth_of(points, bandwidth, seed=seed), DTYPES[precision], memory))


def dense_affinity(affinity: Affinity) -> Tensor:
    """All entries (n, n)."""
    if affinity.dense is not None:
        return affinity.dense
    count = len(affinity)
    dense = torch.empty(count, count, dtype=affinity.dtype, device=affinity.points.device)
    for rows, columns, tile in affinity_tiles(affinity):
        dense[rows, columns] = tile
        if rows != columns:
            dense[columns, rows] = tile.T
    return dense


def affinity_tiles(affinity: Affinity) -> Iterator[tuple[slice, slice, Tensor]]:
    """Entries in blocks on the diagonal and above it.

    Yields
    ------
    rows, columns : slice
        Equal for a block on the diagonal.
    entries : Tensor (rows, columns)
    """
    if affinity.dense is not None:
        for rows, columns in pair_blocks(len(affinity)):
            yield rows, columns, affinity.dense[rows, columns]
        return
    points, careful = _prepared(affinity)
    lengths = points.square().sum(dim=1)
    for rows, columns in pair_blocks(len(affinity)):
        if careful:
            squares = square_distances(points[rows], points[columns])
        else:  # from products, with the rounding of the squared lengths
            scale = lengths[rows].unsqueeze(1) + lengths[columns]
            squares = scale.addmm_(points[rows], points[columns].T, alpha=-2.0).clamp_(min=0.0)
        entries = _gaussian(squares, affinity.bandwidth)
        if rows == columns:
            entries = (entries + entries.T).mul_(0.5).fill_diagonal_(1.0)
        yield rows, columns, entries.to(affinity.dtype)


def _kept(affinity: Affinity) -> Affinity:
    """The same with all entries, if they fit."""
    fits = len(affinity) ** 2 * affinity.dtype.itemsize <= affinity.memory
    return replace(affinity, dense=dense_affinity(affinity)) if fits else affinity


def _prepared(affinity: Affinity) -> tuple[Tensor, bool]:
    """The points in the precision that the exponents need, and whether close ones need their differences."""
    points = affinity.points
    if not points.numel():
        return points, False
    largest = float(points.square().sum(dim=1).max())
    exponent = 2 * largest / affinity.bandwidth**2 if affinity.bandwidth else math.inf
    if affinity.dtype == torch.float32 and exponent * EPS_SINGLE <= ROUNDING_SINGLE:
        return points.float(), False
    return points, exponent * EPS > ROUNDING


def _gaussian(squares: Tensor, bandwidth: float) -> Tensor:
    if bandwidth == 0:
        return (squares == 0).to(squares.dtype)
    return squares.mul_(-0.5 / bandwidth**2).exp_()
