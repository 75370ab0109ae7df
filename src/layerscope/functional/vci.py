"""Variability collapse index: NC1 that no invertible linear map of the features changes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.between import between_basis, centered
from layerscope.functional.points import check_points


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
    values: Tensor, vectors: Tensor, between_rows: Tensor, rank: int, tolerance: float
) -> tuple[float, bool]:
    r""":func:`vci` on the directions in which the features vary by more than rounding.

    Parameters
    ----------
    values : Tensor (m,)
        Eigenvalues of :math:`\Sigma_t`, ascending; those that are left out are 0.
    vectors : Tensor (D, m)
        Their eigenvectors.
    between_rows : Tensor (K, D)
        Rows B with :math:`\Sigma_b = B^\top B`.
    rank : int
        Of :math:`\Sigma_b`.
    tolerance : float
        Variance up to which a direction is left out.

    Returns
    -------
    (float, bool)
        The index, and whether no direction was left out that has any variance.
    """
    if rank == 0:
        return math.nan, True
    kept = values > tolerance
    shares = (between_rows.double() @ vectors[:, kept]).square().sum(dim=0) / values[kept]
    nothing = values <= values[-1:] * len(values) * torch.finfo(torch.float64).eps
    return min(max(1 - float(shares.sum()) / rank, 0.0), 1.0), bool((kept | nothing).all())


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
