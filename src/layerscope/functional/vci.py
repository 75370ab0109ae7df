"""Variability collapse index: NC1 that no invertible linear map of the features changes."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from layerscope.functional.between import between_basis, centered
from layerscope.functional.points import check_points
from layerscope.functional.symmetric import SMALL, eigenvectors
from layerscope.functional.tridiagonal import Tridiagonal


def vci(
    within_covariance: Tensor, means: Tensor, weights: Tensor | None = None, *, center: Tensor | None = None
) -> float:
    r"""Variability collapse index, :math:`1 - \mathrm{tr}(\Sigma_t^+\Sigma_b)/\mathrm{rank}\,\Sigma_b`.

    Parameters
    ----------
    within_covariance : Tensor (D, D)
        Pooled within-class covariance; :math:`\Sigma_t = \Sigma_w + \Sigma_b`.
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of :math:`\Sigma_b`; equal when omitted.
    center : Tensor (K,), optional
        Weights of the centre, when they are not ``weights``.

    Returns
    -------
    float
        In [0, 1]: 0 is collapse. NaN if all means coincide or K < 2. No invertible linear map changes it.

    Raises
    ------
    ValueError
        A covariance of other features than the means have, or entries that are not finite.

    References
    ----------
    Xu, Liu (2023), Quantifying the variability collapse of neural networks, arXiv:2306.03440.
    """
    check_points(within_covariance, "covariance")
    if within_covariance.shape != (means.shape[1], means.shape[1]):
        found = tuple(within_covariance.shape)
        raise ValueError(f"class means of {means.shape[1]} features do not go with a covariance {found}")
    values, vectors = torch.linalg.eigh(within_covariance.double())
    kept = values > 0
    return vci_from_rows((vectors[:, kept] * values[kept].sqrt()).T, means, weights, center=center)


def vci_from_total(
    total: Tensor, between_rows: Tensor, rank: int, tolerance: float
) -> tuple[Tensor, float, bool]:
    r""":func:`vci` on the directions in which the features vary by more than rounding.

    Parameters
    ----------
    total : Tensor (D, D)
        :math:`\Sigma_t`, float64.
    between_rows : Tensor (K, D)
        Rows B with :math:`\Sigma_b = B^\top B`.
    rank : int
        Of :math:`\Sigma_b`.
    tolerance : float
        Variance up to which a direction is left out.

    Returns
    -------
    (Tensor (D,), float, bool)
        Eigenvalues of :math:`\Sigma_t`, ascending; the index; and whether no direction was left out that has
        any variance.
    """
    between_rows = between_rows.double()
    values, explained = _explained_by_few(total, between_rows, tolerance) or _explained(
        total, between_rows, tolerance
    )
    if rank == 0:
        return values, math.nan, True
    nothing = values <= values[-1:] * len(values) * torch.finfo(torch.float64).eps
    resolved = bool(((values > tolerance) | nothing).all())
    return values, min(max(1 - explained / rank, 0.0), 1.0), resolved


def vci_from_rows(
    within_rows: Tensor, means: Tensor, weights: Tensor | None = None, *, center: Tensor | None = None
) -> float:
    r""":func:`vci` from rows Z with :math:`\Sigma_w = Z^\top Z`, without a D×D matrix.

    With B the weighted centred means and R = [Z; B] (n + K, D), :math:`\mathrm{tr}(\Sigma_t^+\Sigma_b)` is
    the squared Frobenius norm of the rows of U, R = U S Vᵀ, that belong to B.

    Parameters
    ----------
    within_rows : Tensor (n, D)
    means, weights, center
        As of :func:`vci`.
    """
    rank = between_basis(means, weights, center=center).rank if len(means) else 0
    if rank == 0:
        return math.nan
    offsets, _ = centered(means, weights if center is None else center)
    share = 1 / len(means) if weights is None else weights.double().unsqueeze(1)
    rows = torch.cat([within_rows.double(), offsets * share**0.5])
    left, values, _ = torch.linalg.svd(rows, full_matrices=False)
    kept = values > values[0] * max(rows.shape) * torch.finfo(torch.float64).eps
    between = left[len(within_rows) :, kept].square().sum()
    return min(max(1 - float(between) / rank, 0.0), 1.0)


def _explained(total: Tensor, between_rows: Tensor, tolerance: float) -> tuple[Tensor, float]:
    r"""Eigenvalues of :math:`\Sigma_t`, and :math:`\mathrm{tr}(\Sigma_t^+\Sigma_b)` beyond a tolerance."""
    values, vectors = eigenvectors(total)
    return values, _along(values, vectors, between_rows, tolerance)


def _explained_by_few(total: Tensor, between_rows: Tensor, tolerance: float) -> tuple[Tensor, float] | None:
    """:func:`_explained` in half the time, from few vectors; None where that cannot be.

    Directions that are left out are given much variance, of which B has nothing; what is then well
    conditioned is solved for by Cholesky.
    """
    size = len(total)
    if total.device.type != "cpu" or size < SMALL:
        return None
    reduced = Tridiagonal.of(total)
    values = reduced.values
    left_out = int((values <= tolerance).sum())
    try:
        if 2 * left_out > size:
            kept = reduced.vectors(left_out, size)
            return values, _along(values[left_out:], kept, between_rows, tolerance)
        without = reduced.vectors(0, left_out)
    except np.linalg.LinAlgError:  # which the whole decomposition does not know
        return None
    filled = total + values[-1] * without @ without.T
    factor, failed = torch.linalg.cholesky_ex(filled)
    if bool(failed):
        return None
    inside = between_rows - (between_rows @ without) @ without.T
    solved = torch.linalg.solve_triangular(factor, inside.T, upper=False)
    return values, float(solved.square().sum())


def _along(values: Tensor, vectors: Tensor, between_rows: Tensor, tolerance: float) -> float:
    """Sum, over the directions beyond a tolerance, of the variance between classes relative to the total."""
    kept = values > tolerance
    return float(((between_rows @ vectors[:, kept]).square().sum(dim=0) / values[kept]).sum())
