"""Generalised NC2: how evenly the directions of the class means lie on the sphere, for any K and D."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.between import EPS, centered
from layerscope.functional.pairs import TileMoments, distance_tiles, pairs_of
from layerscope.functional.simplex import has_direction

Kernel = Literal["dist", "log", "riesz"]


@dataclass(frozen=True)
class KernelStats:
    """Mean and population variance of a kernel over the pairs i < j.

    Attributes
    ----------
    mean, variance : float
    coincident : int
        Pairs in the same direction up to rounding; ``log``, and ``riesz`` with s > 0, are then infinite.
    directionless : int
        Class means without a direction, whose pairs are left out.
    """

    mean: float
    variance: float
    coincident: int = 0
    directionless: int = 0


def kernel_stats(
    means: Tensor,
    kernel: Kernel,
    weights: Tensor | None = None,
    *,
    exponent: float | None = None,
    precision: torch.dtype = torch.float64,
) -> KernelStats:
    r"""Mean and variance over pairs of a kernel of the directions :math:`m_c/|m_c|` of centred class means.

    Kernels of the distance d of two directions: ``dist`` = d, ``log`` = -log d, ``riesz`` = :math:`d^{-s}`.
    For a simplex ETF every d is :math:`\sqrt{2K/(K-1)}` and every variance 0; for K > D + 1, without an
    ETF, evenly spread directions minimise the means of ``log`` and ``riesz``.

    Parameters
    ----------
    means : Tensor (K, D)
    kernel : "dist" | "log" | "riesz"
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.
    exponent : float, optional
        s of ``riesz``; D - 2 when omitted, which underflows for D of a few thousand, and for D <= 2 is no
        exponent that tells directions apart.
    precision : dtype
        Of the features: a mean that their rounding alone could part from the centre has no direction.

    References
    ----------
    Liu et al. (2023), arXiv:2303.06484; Wu, Papyan (2024), arXiv:2405.17767.
    """
    found = kernel_family(means, [(kernel, exponent)], weights, precision=precision)
    return found[0]


def kernel_family(
    means: Tensor,
    kernels: Sequence[tuple[Kernel, float | None]],
    weights: Tensor | None = None,
    *,
    precision: torch.dtype = torch.float64,
) -> list[KernelStats]:
    """:func:`kernel_stats` of several kernels and their exponents, from one set of distances."""
    unknown = [kernel for kernel, _ in kernels if kernel not in ("dist", "log", "riesz")]
    if unknown:
        raise ValueError(f"kernel must be 'dist', 'log' or 'riesz', not {unknown[0]!r}")
    if len(means) < 2:
        return [KernelStats(math.nan, math.nan)] * len(kernels)
    offsets, _ = centered(means, weights)
    kept = has_direction(offsets, means, precision)
    units = torch.nn.functional.normalize(offsets[kept], dim=1, eps=0.0)
    tallies = [_Tally(kernel, float(means.shape[1] - 2 if s is None else s)) for kernel, s in kernels]
    for rows, columns, squares in distance_tiles(units):
        pairs = pairs_of(squares, rows, columns)
        apart = pairs[pairs > (4 * EPS) ** 2]
        for tally in tallies:
            tally.add(pairs, apart)
    return [tally.compute(int((~kept).sum())) for tally in tallies]


class _Tally:
    """One kernel's moments over the pairs of directions."""

    def __init__(self, kernel: Kernel, power: float) -> None:
        self._kernel, self._power = kernel, power
        self._singular = kernel == "log" or (kernel == "riesz" and power > 0)
        self._moments, self._coincident = TileMoments(), 0

    def add(self, pairs: Tensor, apart: Tensor) -> None:
        """Add squared distances of pairs (m,), of which ``apart`` (n,) do not coincide."""
        self._coincident += len(pairs) - len(apart)
        self._moments.add(_apply(self._kernel, apart if self._singular else pairs, self._power))

    def compute(self, directionless: int) -> KernelStats:
        if self._coincident and self._singular:
            return KernelStats(math.inf, math.nan, self._coincident, directionless)
        if not self._moments.count:
            return KernelStats(math.nan, math.nan, self._coincident, directionless)
        return KernelStats(self._moments.mean, self._moments.variance, self._coincident, directionless)


def _apply(kernel: Kernel, squares: Tensor, power: float) -> Tensor:
    if kernel == "dist":
        return squares.sqrt()
    return -squares.log() / 2 if kernel == "log" else squares ** (-power / 2)
