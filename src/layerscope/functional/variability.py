"""NC1: how much samples vary within their class, compared with how far the classes lie apart."""

from __future__ import annotations

import math

from torch import Tensor

from layerscope.functional.between import BetweenBasis, between_basis, between_inverse


def nc1_pinv(
    within_covariance: Tensor,
    means: Tensor,
    global_mean: Tensor | None = None,
    *,
    weights: Tensor | None = None,
) -> float:
    r"""Within- relative to between-class covariance, :math:`\mathrm{tr}(\Sigma_w \Sigma_b^+)/K`.

    Parameters
    ----------
    within_covariance : Tensor (D, D)
        Pooled within-class covariance, biased (divided by n).
    means : Tensor (K, D)
        Class means of the classes that have samples.
    global_mean : Tensor (D,), optional
        Centre of :math:`\Sigma_b`; the weighted mean of the class means when omitted.
    weights : Tensor (K,), optional
        Class weights of :math:`\Sigma_b`; equal when omitted.

    Returns
    -------
    float
        In [0, inf]; 0 is collapse. ``inf`` when all means coincide but samples vary, NaN when neither varies
        or K < 2. Unchanged by rotations, shifts and scalings of the features.

    Raises
    ------
    ValueError
        Shapes or weights that do not fit the means.

    References
    ----------
    Papyan, Han, Donoho (2020), arXiv:2008.08186; Zhu et al. (2021), arXiv:2105.02375.
    """
    inverse = between_inverse(means, weights, global_mean=global_mean)
    if inverse is not None and within_covariance.shape == inverse.shape:
        return float((within_covariance.double() * inverse).sum()) / len(means)
    basis = between_basis(means, weights, global_mean=global_mean)
    energies = energies_along(basis, within_covariance)
    return nc1_from_energies(energies, basis, float(within_covariance.double().trace()), len(means))


def energies_along(basis: BetweenBasis, within_covariance: Tensor) -> Tensor:
    r"""Within-class variance :math:`u_j^\top \Sigma_w u_j` (r,) along the directions of the class means.

    Parameters
    ----------
    basis : BetweenBasis
    within_covariance : Tensor (D, D)

    Raises
    ------
    ValueError
        The covariance is not (D, D).
    """
    dim = len(basis.directions)
    if within_covariance.shape != (dim, dim):
        found = tuple(within_covariance.shape)
        raise ValueError(f"class means of {dim} features need a covariance ({dim}, {dim}), not {found}")
    return ((within_covariance.double() @ basis.directions) * basis.directions).sum(dim=0)


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


def nc1_svd(
    within_covariance: Tensor,
    means: Tensor,
    global_mean: Tensor | None = None,
    *,
    weights: Tensor | None = None,
) -> float:
    r"""NC1 with all K-1 directions of the means forced: :func:`nc1_pinv` without a rank rule.

    Where the means span fewer than K-1 directions (always so when K > D + 1), a singular value is 0 and the
    inverse does not exist.

    Parameters
    ----------
    within_covariance, means, global_mean, weights
        As of :func:`nc1_pinv`.

    Returns
    -------
    float
        Equal to the value of :func:`nc1_pinv` at full rank; else ``inf``, or NaN when no sample varies.

    References
    ----------
    Han, Papyan, Donoho (2021), arXiv:2106.02073.
    """
    basis = between_basis(means, weights, global_mean=global_mean)
    energies = energies_along(basis, within_covariance)
    return nc1_svd_from_energies(energies, basis, float(within_covariance.double().trace()), len(means))


def nc1_svd_from_energies(
    energies: Tensor, basis: BetweenBasis, within_trace: float, num_classes: int
) -> float:
    """:func:`nc1_svd` from what :func:`nc1_from_energies` takes, without any D×D matrix."""
    if num_classes >= 2 and basis.rank < num_classes - 1:
        return math.inf if within_trace > 0 else math.nan
    return nc1_from_energies(energies, basis, within_trace, num_classes)


def nc1_range_fraction(energies: Tensor, within_trace: float) -> float:
    r"""Share of the within-class variance that lies in the span of the class means.

    :math:`\mathrm{tr}(U^\top \Sigma_w U) / \mathrm{tr}\,\Sigma_w`, in [0, 1]; what lies outside the span
    does not count in :func:`nc1_pinv`. NaN without within-class variance.

    Parameters
    ----------
    energies : Tensor (r,)
        Of :func:`energies_along`, or of :class:`layerscope.statistics.DirectionalScatter`.
    within_trace : float
    """
    if not within_trace > 0:
        return math.nan
    return min(float(energies.double().sum()) / within_trace, 1.0)  # which rounding could pass


def nc1_quotient(within_trace: float, between_trace: float) -> float:
    r""":math:`\mathrm{tr}\,\Sigma_w / \mathrm{tr}\,\Sigma_b`, in [0, inf] (Tirer et al., arXiv:2210.16658).

    ``inf`` when only the between trace is 0, NaN when both are.
    """
    if between_trace > 0:
        return within_trace / between_trace
    return math.inf if within_trace > 0 else math.nan
