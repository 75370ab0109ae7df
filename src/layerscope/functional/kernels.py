"""Generalised NC2: how evenly the directions of the class means lie on the sphere, for any K and D."""

from __future__ import annotations

import math
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
    if kernel not in ("dist", "log", "riesz"):
        raise ValueError(f"kernel must be 'dist', 'log' or 'riesz', not {kernel!r}")
    if len(means) < 2:
        return KernelStats(math.nan, math.nan)
    offsets, _ = centered(means, weights)
    kept = has_direction(offsets, means, precision)
    units = torch.nn.functional.normalize(offsets[kept], dim=1, eps=0.0)
    power = float(means.shape[1] - 2 if exponent is None else exponent)
    tally, coincident = TileMoments(), 0
    singular = kernel == "log" or (kernel == "riesz" and power > 0)
    for rows, columns, squares in distance_tiles(units):
        pairs = pairs_of(squares, rows, columns)
        apart = pairs > (4 * EPS) ** 2
        coincident += int((~apart).sum())
        tally.add(_apply(kernel, pairs[apart] if singular else pairs, power))
    lost = int((~kept).sum())
    if coincident and singular:
        return KernelStats(math.inf, math.nan, coincident, lost)
    if not tally.count:
        return KernelStats(math.nan, math.nan, coincident, lost)
    return KernelStats(tally.mean, tally.variance, coincident, lost)


def _apply(kernel: Kernel, squares: Tensor, power: float) -> Tensor:
    if kernel == "dist":
        return squares.sqrt()
    return -squares.log() / 2 if kernel == "log" else squares ** (-power / 2)
