"""Mutual information of two blocks as if they were jointly Gaussian, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.functional.blocks import paired_blocks
from layerscope.functional.units import Units, in_units

EPS = torch.finfo(torch.float64).eps


@dataclass(frozen=True)
class GaussianInformation:
    """Mutual information of the Gaussian that has the samples' covariance.

    Attributes
    ----------
    value : float
        ≥ 0. Infinite when one block determines a direction of the other; NaN when a block's own columns are
        linearly dependent, or there are no more samples than columns in both blocks, and there is no ridge.
    unbiased : float
        Without the value's bias, which is known exactly for Gaussian samples; may be negative. NaN with a
        ridge.
    ridge : float
    samples : int
    dims : tuple of int
        Columns of the blocks that vary.
    units : str
    """

    value: float
    unbiased: float
    ridge: float
    samples: int
    dims: tuple[int, int]
    units: Units

    @property
    def status(self) -> str:
        """``undefined``, ``infinite``, ``degenerate`` (a block does not vary; a ridge), or ``ok``."""
        if math.isnan(self.value):
            return "undefined"
        if math.isinf(self.value):
            return "infinite"
        return "degenerate" if self.ridge > 0 or 0 in self.dims else "ok"


def gaussian_mutual_information(
    x: Tensor, y: Tensor, *, ridge: float = 0.0, units: Units = "nats"
) -> GaussianInformation:
    r"""Mutual information of two blocks of paired samples as if they were jointly Gaussian.

    :math:`I = \frac12 (\ln\det\Sigma_x + \ln\det\Sigma_y - \ln\det\Sigma)`, by Cholesky factors of the
    *correlation* matrices, so that no unit of any column matters. It sees linear dependence only. The value
    of N Gaussian samples is too high by about :math:`d_x d_y/(2N)` nats, exactly by what
    :attr:`GaussianInformation.unbiased` takes away.

    Parameters
    ----------
    x, y : Tensor (N,) or (N, d)
        Paired samples, floats. They are not changed. Constant columns are dropped.
    ridge : float
        Added once to the diagonal of the joint correlation matrix, that is, noise of this variance relative
        to each column's own: it lowers the value.
    units : "nats" | "bits"

    Raises
    ------
    ValueError
        Samples that are unpaired, not finite or no floats; a negative ridge.

    References
    ----------
    Cover, Thomas (2006), Elements of information theory, eq. 9.163; the bias from the expectation of the
    log-determinant of a Wishart matrix, Anderson (2003), section 7.5.
    """
    left, right = (part.values for part in paired_blocks(x, y, standardize=True))
    samples, dims = len(left), (left.shape[1], right.shape[1])
    _refuse_negative(ridge)
    if 0 in dims:
        return GaussianInformation(0.0, 0.0, ridge, samples, dims, units)
    both = torch.cat([left, right], dim=1)
    if samples <= sum(dims) and ridge == 0:
        value = math.nan
    else:
        value = _of_correlations(both.T @ both / samples, dims[0], ridge)
    bias = _bias(samples, *dims) if math.isfinite(value) and ridge == 0 else math.nan
    unbiased = in_units(value - bias, units)
    return GaussianInformation(in_units(value, units), unbiased, ridge, samples, dims, units)


def gaussian_mutual_information_of(
    covariance: Tensor, dim_x: int, *, ridge: float = 0.0, units: Units = "nats"
) -> float:
    """Mutual information of two blocks of a Gaussian with a known covariance.

    Parameters
    ----------
    covariance : Tensor (d_x + d_y, d_x + d_y)
        Symmetric; not changed.
    dim_x : int
        How many of the first variables are the block x.
    ridge : float
        As of :func:`gaussian_mutual_information`.

    Returns
    -------
    float
        Infinite when one block determines a direction of the other; NaN when a block is singular itself.

    Raises
    ------
    ValueError
        No square matrix with two blocks, a variance that is not positive, entries that are not finite.
    """
    size = len(covariance)
    if covariance.shape != (size, size) or not 0 < dim_x < size:
        raise ValueError(
            f"a covariance of two blocks, the first of {dim_x}, is not {tuple(covariance.shape)}"
        )
    matrix = covariance.double()
    variances = matrix.diagonal()
    if not bool(matrix.isfinite().all() and (variances > 0).all()):
        raise ValueError("a covariance has finite entries and positive variances")
    _refuse_negative(ridge)
    scales = variances.sqrt()
    return in_units(_of_correlations(matrix / scales / scales.unsqueeze(1), dim_x, ridge), units)


def _of_correlations(correlations: Tensor, dim_x: int, ridge: float) -> float:
    matrix = correlations + ridge * torch.eye(
        len(correlations), dtype=torch.float64, device=correlations.device
    )
    left, right = _log_det(matrix[:dim_x, :dim_x]), _log_det(matrix[dim_x:, dim_x:])
    if math.isinf(left) or math.isinf(right):
        return math.nan
    return max((left + right - _log_det(matrix)) / 2, 0.0)


def _log_det(matrix: Tensor) -> float:
    """Log-determinant of a correlation matrix; minus infinity when a variable follows from those before it.

    The squared pivots of its Cholesky factor are the variances that the variables before leave unexplained.
    """
    factor, failed = torch.linalg.cholesky_ex(matrix)
    pivots = factor.diagonal()
    if int(failed) or bool((pivots.square() <= 10 * len(matrix) * EPS).any()):
        return -math.inf
    return 2 * float(pivots.log().sum())


def _bias(samples: int, dim_x: int, dim_y: int) -> float:
    """Expected excess of the value for N Gaussian samples, whatever their covariance."""
    halves = (samples - torch.arange(1, dim_x + dim_y + 1, dtype=torch.float64)) / 2
    sums = torch.digamma(halves).cumsum(dim=0)
    return float(sums[dim_x - 1] + sums[dim_y - 1] - sums[-1]) / 2


def _refuse_negative(ridge: float) -> None:
    if not ridge >= 0:
        raise ValueError(f"a ridge cannot be negative, like {ridge}")
