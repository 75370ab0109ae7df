"""Spectra of covariances: exact where small, leading eigenvalues with the captured trace where not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.between import centered
from layerscope.functional.gram import gram
from layerscope.functional.symmetric import eigenvalues

EXACT = 1024  # smaller side of a matrix of rows up to which every eigenvalue is computed
OVERSAMPLING = 10
POWER_STEPS = 2
KRYLOV = 300  # most steps for one eigenvalue

Method = Literal["exact", "range finder", "sketch"]


@dataclass(frozen=True)
class CovarianceSpectrum:
    """Eigenvalues of a covariance.

    Attributes
    ----------
    values : Tensor (m,), float64
        Descending, not negative; all that can differ from 0, or the leading ones.
    trace : float
        Of the whole covariance, exact.
    method : "exact" | "range finder" | "sketch"
        How the values were found: all there are, up to rounding; the leading ones by :func:`range_finder`; or
        by :func:`sketched_spectrum`. The latter two are never above the true ones, up to rounding.
    """

    values: Tensor
    trace: float
    method: Method = "exact"

    @property
    def exact(self) -> bool:
        """Whether the values are all there are, up to rounding."""
        return self.method == "exact"

    @property
    def captured(self) -> float:
        """Share of the trace that the values hold; NaN without any trace."""
        return float(self.values.sum()) / self.trace if self.trace > 0 else math.nan

    @property
    def relative(self) -> Tensor:
        """Values divided by the trace."""
        return self.values / self.trace

    @property
    def stable_rank(self) -> float:
        r""":math:`\mathrm{tr}\,\Sigma/\lambda_1(\Sigma)`; NaN without any trace."""
        if not self.trace > 0 or not self.values.numel() or not self.values[0] > 0:
            return math.nan
        return self.trace / float(self.values[0])


def covariance_spectrum(covariance: Tensor, dim: int | None = None) -> CovarianceSpectrum:
    """Eigenvalues of a symmetric positive matrix (D, D); of ``dim`` when it lacks what does not vary."""
    covariance = covariance.double()
    values = eigenvalues(varying_part(covariance)[0])
    count = len(covariance) if dim is None else dim
    return CovarianceSpectrum(descending(values, count), float(covariance.diagonal().sum()))


def varying_part(covariance: Tensor) -> tuple[Tensor, Tensor]:
    """The rows and columns of the features that vary at all, and the indices of these features."""
    places = (covariance.diagonal() > 0).nonzero().squeeze(1)
    if len(places) == len(covariance):
        return covariance, places
    return covariance.index_select(0, places).index_select(1, places), places


def descending(values: Tensor, count: int) -> Tensor:
    """Ascending eigenvalues of a positive matrix the other way round, filled up with zeros to ``count``."""
    return torch.cat([values.clamp(min=0).flip(0), values.new_zeros(count - len(values))])


def row_spectrum(rows: Tensor, *, top: int | None = None, seed: int = 0) -> CovarianceSpectrum:
    r"""Eigenvalues of :math:`R^\top R` for centred rows R (n, D), scaled so that this is the covariance.

    By the smaller of the D×D matrix and the n×n Gram matrix when it is small or ``top`` is omitted; else by a
    randomized range finder with power steps, which finds the ``top`` leading values.

    Parameters
    ----------
    rows : Tensor (n, D)
    top : int, optional
    seed : int
        Of the range finder.

    References
    ----------
    Halko, Martinsson, Tropp (2011), arXiv:0909.4061.
    """
    trace = float(rows.double().square().sum())
    smaller = min(rows.shape)
    if top is None or smaller <= max(EXACT, 2 * top):
        inner = gram(rows if rows.shape[1] <= rows.shape[0] else rows.T)
        return replace(covariance_spectrum(inner), trace=trace)

    def apply(block: Tensor) -> Tensor:
        return rows.T @ (rows @ block.to(rows.dtype))

    return CovarianceSpectrum(
        range_finder(apply, rows.shape[1], top, rows.device, seed), trace, "range finder"
    )


def range_finder(
    apply: Callable[[Tensor], Tensor], dim: int, top: int, device: torch.device, seed: int = 0
) -> Tensor:
    """Leading eigenvalues (top,) of a positive operator on D dimensions, by randomized subspace iteration.

    Parameters
    ----------
    apply : callable
        Block (D, p) → covariance times block.
    dim, top : int
    device
        Where blocks live.
    seed : int
    """
    return compressed(*leading_space(apply, dim, top, device, seed))[:top]


def leading_space(
    apply: Callable[[Tensor], Tensor], dim: int, top: int, device: torch.device, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """The orthonormal columns (D, p) of :func:`range_finder`, a few more than ``top``, and their images."""
    block = gaussian(dim, min(top + OVERSAMPLING, dim), seed, device)
    for _ in range(POWER_STEPS):
        block = torch.linalg.qr(apply(block).double())[0]
    return block, apply(block).double()


def compressed(basis: Tensor, image: Tensor) -> Tensor:
    """Eigenvalues, descending, of a positive operator within the span of orthonormal columns (D, p)."""
    small = basis.T @ image
    return torch.linalg.eigvalsh((small + small.T) / 2).clamp(min=0).flip(0)


def sketched_spectrum(sketch: Tensor, test: Tensor, trace: float) -> CovarianceSpectrum:
    r"""Leading eigenvalues from a one-pass sketch :math:`Y = \Sigma\Omega` (Nyström approximation).

    Never above the true ones, up to rounding; what ``captured`` lacks is what the sketch missed.

    Parameters
    ----------
    sketch : Tensor (D, p)
    test : Tensor (D, p)
        :math:`\Omega`, see :func:`gaussian`.
    trace : float
        Exact :math:`\mathrm{tr}\,\Sigma`.

    References
    ----------
    Tropp, Yurtsever, Udell, Cevher (2017), arXiv:1706.05736.
    """
    sketch, test = sketch.double(), test.double()
    size = float(sketch.norm())
    if not size > 0:
        return CovarianceSpectrum(sketch.new_zeros(sketch.shape[1]), trace, "sketch")
    shift = math.sqrt(sketch.shape[0]) * torch.finfo(torch.float64).eps * size
    moved = sketch + shift * test
    inner = test.T @ moved
    values, vectors = torch.linalg.eigh((inner + inner.T) / 2)
    kept = values > values[-1] * len(values) * torch.finfo(torch.float64).eps
    root = moved @ (vectors[:, kept] / values[kept].sqrt())
    found = (torch.linalg.svdvals(root).square() - shift).clamp(min=0)
    return CovarianceSpectrum(found, trace, "sketch")


def gaussian(dim: int, columns: int, seed: int, device: torch.device | str = "cpu") -> Tensor:
    """Test matrix (D, p) of independent standard normal entries, float64, the same on every device."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(dim, columns, generator=generator, dtype=torch.float64).to(device)


def largest_eigenvalue(rows: Tensor, *, seed: int = 0) -> float:
    r"""Largest eigenvalue of :math:`R^\top R` for rows R (n, D), by Lanczos with full reorthogonalisation.

    Stops when the residual bounds the relative error by :math:`10^{-10}`, or after 300 steps.
    """
    if min(rows.shape) <= 256:
        return float(row_spectrum(rows).values[0]) if rows.numel() else 0.0
    rows = rows.double() if rows.dtype == torch.float64 else rows
    vector = gaussian(rows.shape[1], 1, seed, rows.device).squeeze(1)
    basis: list[Tensor] = []
    diagonal: list[float] = []
    off: list[float] = []
    largest = 0.0
    for _ in range(min(*rows.shape, KRYLOV)):
        length = float(vector.norm())
        if basis:
            off.append(length)
        if length <= 1e-14 * max(largest, 1e-300):
            break
        basis.append(vector / length)
        image = (rows.T @ (rows @ basis[-1].to(rows.dtype))).double()
        diagonal.append(float(basis[-1] @ image))
        largest, tail = _ritz(diagonal, off)
        vector = _orthogonal(image, torch.stack(basis))
        if float(vector.norm()) * tail <= 1e-10 * largest:
            break
    return largest


def activation_stable_rank(rows: Tensor) -> float:
    r"""Stable rank :math:`\mathrm{tr}\,\Sigma_c/\lambda_1(\Sigma_c)` of the samples of one class.

    Parameters
    ----------
    rows : Tensor (n, D)
        Features of one class; their mean is subtracted here.

    Returns
    -------
    float
        In [1, min(D, n-1)]; NaN for a single sample, or samples that do not vary.
    """
    offsets, _ = centered(rows)
    trace = float(offsets.square().sum())
    return trace / largest_eigenvalue(offsets) if trace > 0 else math.nan


def _ritz(diagonal: list[float], off: list[float]) -> tuple[float, float]:
    """Largest eigenvalue of the tridiagonal matrix, and the size of its eigenvector's last entry."""
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if off:
        beside = torch.tensor(off, dtype=torch.float64)
        matrix += torch.diag(beside, 1) + torch.diag(beside, -1)
    values, vectors = torch.linalg.eigh(matrix)
    return float(values[-1]), abs(float(vectors[-1, -1]))


def _orthogonal(vector: Tensor, basis: Tensor) -> Tensor:
    """What is left of ``vector`` beside the rows of ``basis``; twice is enough."""
    for _ in range(2):
        vector = vector - basis.T @ (basis @ vector)
    return vector
