"""NC1: how much samples vary within their class, compared with how far the classes lie apart."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.between import BetweenBasis, between_basis, centered

MEDIAN_MAX_CLASSES = 4096  # beyond it the K(K-1)/2 pairs are not kept, and the median is NaN


def nc1_pinv(within_covariance: Tensor, means: Tensor, weights: Tensor | None = None) -> float:
    r"""Within- relative to between-class covariance, :math:`\mathrm{tr}(\Sigma_w \Sigma_b^+)/K`.

    Parameters
    ----------
    within_covariance : Tensor (D, D)
        Pooled within-class covariance, biased (divided by n).
    means : Tensor (K, D)
        Class means of the classes that have samples.
    weights : Tensor (K,), optional
        Class weights of :math:`\Sigma_b`; equal when omitted.

    Returns
    -------
    float
        In [0, inf]; 0 is collapse. ``inf`` when all means coincide but samples vary, NaN when neither varies.
        Unchanged by rotations, shifts and scalings of the features.

    References
    ----------
    Papyan, Han, Donoho (2020), arXiv:2008.08186; Zhu et al. (2021), arXiv:2105.02375.
    """
    basis = between_basis(means, weights)
    within = within_covariance.double()
    energies = torch.einsum("dr,de,er->r", basis.directions, within, basis.directions)
    return nc1_from_energies(energies, basis, float(within.diagonal().sum()), len(means))


def nc1_from_energies(energies: Tensor, basis: BetweenBasis, within_trace: float, num_classes: int) -> float:
    r"""NC1 from the within-class variance along each direction of the means.

    :math:`\frac1K \sum_j (u_j^\top \Sigma_w u_j) / s_j^2`: equal to :func:`nc1_pinv`, without any D×D matrix.

    Parameters
    ----------
    energies : Tensor (r,)
        :math:`u_j^\top \Sigma_w u_j` for the directions of ``basis``.
    within_trace : float
        :math:`\mathrm{tr}\,\Sigma_w`, to tell "infinite" from "undefined" when r = 0.
    """
    if num_classes < 2:
        return math.nan
    if basis.rank == 0:
        return math.inf if within_trace > 0 else math.nan
    return float((energies.double() / basis.singular_values.square()).sum()) / num_classes


def nc1_range_fraction(energies: Tensor, within_trace: float) -> float:
    r"""Share of the within-class variance that lies in the span of the class means.

    :math:`\mathrm{tr}(U^\top \Sigma_w U) / \mathrm{tr}\,\Sigma_w`, in [0, 1]; what lies outside the span
    does not count in :func:`nc1_pinv`. NaN without within-class variance.
    """
    return float(energies.double().sum()) / within_trace if within_trace > 0 else math.nan


def nc1_quotient(within_trace: float, between_trace: float) -> float:
    r""":math:`\mathrm{tr}\,\Sigma_w / \mathrm{tr}\,\Sigma_b`, in [0, inf] (Tirer et al., arXiv:2210.16658).

    ``inf`` when only the between trace is 0, NaN when both are.
    """
    if between_trace > 0:
        return within_trace / between_trace
    return math.inf if within_trace > 0 else math.nan


def between_trace(means: Tensor, weights: Tensor | None = None) -> float:
    r""":math:`\mathrm{tr}\,\Sigma_b = \sum_c w_c |\mu_c - \mu|^2`.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Summing to 1; equal when omitted.
    """
    offsets, _ = centered(means, weights)
    squares = offsets.square().sum(dim=1)
    return float(squares.mean() if weights is None else weights.double() @ squares)


def cdnv(variances: Tensor, means: Tensor) -> dict[str, float]:
    r"""Class-distance normalised variance over the pairs of classes.

    :math:`V_{ij} = (v_i + v_j) / (2 |\mu_i - \mu_j|^2)` with :math:`v_c = \mathrm{tr}\,\Sigma_c`.

    Parameters
    ----------
    variances : Tensor (K,)
        Mean squared distance of the samples of a class to their mean.
    means : Tensor (K, D)

    Returns
    -------
    dict
        ``mean``, ``median``, ``max`` over i < j, in [0, inf], and ``coincident``: the number of pairs left
        out because neither means nor samples differ. A pair of equal means with varying samples is ``inf``.
        All NaN with less than two classes. Median is NaN beyond 4096 classes.

    References
    ----------
    Galanti, György, Hutter (2022), arXiv:2112.15121.
    """
    offsets, _ = centered(means)
    kept, coincident, total, count, largest = [], 0, 0.0, 0, -math.inf
    for start in range(0, len(means) - 1, 512):
        values = _cdnv_rows(variances.double(), offsets, start, min(start + 512, len(means)))
        defined = values[~values.isnan()]
        coincident += values.numel() - defined.numel()
        if defined.numel():
            total, count = total + float(defined.sum()), count + defined.numel()
            largest = max(largest, float(defined.max()))
            kept.append(defined)
    if count == 0:
        return {"mean": math.nan, "median": math.nan, "max": math.nan, "coincident": coincident}
    median = _median(torch.cat(kept)) if len(means) <= MEDIAN_MAX_CLASSES else math.nan
    return {"mean": total / count, "median": median, "max": largest, "coincident": coincident}


def _cdnv_rows(variances: Tensor, offsets: Tensor, start: int, stop: int) -> Tensor:
    """V_ij of rows start ≤ i < stop and columns j > i, as one vector; NaN where nothing differs."""
    mode = "donot_use_mm_for_euclid_dist"  # the expanded square loses close means to rounding
    squares = torch.cdist(offsets[start:stop], offsets[start:], compute_mode=mode).square()
    spread = (variances[start:stop].unsqueeze(1) + variances[start:].unsqueeze(0)) / 2
    keep = torch.ones_like(squares, dtype=torch.bool).triu(diagonal=1)
    return spread[keep] / squares[keep]


def _median(values: Tensor) -> float:
    """The middle value, or the mean of the two middle ones."""
    ordered = values.sort().values
    middle = (len(ordered) - 1) / 2
    low, high = ordered[math.floor(middle)], ordered[math.ceil(middle)]
    return float(low) if low == high else float((low + high) / 2)
