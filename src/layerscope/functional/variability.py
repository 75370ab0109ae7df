"""NC1: how much samples vary within their class, compared with how far the classes lie apart."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.functional.between import EPS, BetweenBasis, between_basis, centered
from layerscope.functional.pairs import TileMoments, distance_tiles, pair_blocks, pairs_of
from layerscope.functional.traces import check_variances

MEDIAN_MAX_CLASSES = 4096  # beyond it the K(K-1)/2 pairs are not kept, and the median is NaN


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
    return float(energies.double().sum()) / within_trace if within_trace > 0 else math.nan


def nc1_quotient(within_trace: float, between_trace: float) -> float:
    r""":math:`\mathrm{tr}\,\Sigma_w / \mathrm{tr}\,\Sigma_b`, in [0, inf] (Tirer et al., arXiv:2210.16658).

    ``inf`` when only the between trace is 0, NaN when both are.
    """
    if between_trace > 0:
        return within_trace / between_trace
    return math.inf if within_trace > 0 else math.nan


def cdnv(variances: Tensor, means: Tensor, *, exponent: float = 1.0) -> dict[str, float]:
    r"""Class-distance normalised variance over the pairs of classes.

    :math:`V_{ij} = (v_i + v_j) / (2 |\mu_i - \mu_j|^{2\beta})` with :math:`v_c = \mathrm{tr}\,\Sigma_c`.

    Parameters
    ----------
    variances : Tensor (K,)
        Mean squared distance of the samples of a class to their mean.
    means : Tensor (K, D)
    exponent : float
        :math:`\beta`; 1 is the definition, others are those of arXiv:2405.17767.

    Returns
    -------
    dict
        ``mean``, ``median``, ``max`` over i < j, in [0, inf]; ``infinite``: how many pairs are; and
        ``coincident``: the number of pairs left out because neither means nor samples differ. Means closer
        than the rounding of float64 coincide; a pair of them with varying samples is ``inf``. All NaN with
        less than two classes. Median is NaN beyond 4096 classes.

    Raises
    ------
    ValueError
        Not one variance per mean, or numbers that are not finite.

    References
    ----------
    Galanti, György, Hutter (2022), arXiv:2112.15121.
    """
    check_variances(variances, len(means))
    tally, kept, coincident, infinite = TileMoments(), [], 0, 0
    for values in _cdnv_tiles(variances.double(), means.double(), exponent):
        finite = values
        if not math.isfinite(float(values.sum())):
            finite, inf = values[values.isfinite()], int(values.isinf().sum())
            infinite += inf
            coincident += values.numel() - finite.numel() - inf
        tally.add(finite)
        kept += [finite] if len(means) <= MEDIAN_MAX_CLASSES else []
    if tally.count + infinite == 0:
        nothing = {"mean": math.nan, "median": math.nan, "max": math.nan}
        return nothing | {"infinite": 0, "coincident": coincident}
    if kept:
        kept.append(kept[0].new_full((infinite,), math.inf))
    return {
        "mean": math.inf if infinite else tally.mean,
        "median": _median(torch.cat(kept)) if kept else math.nan,
        "max": math.inf if infinite else tally.largest,
        "infinite": infinite,
        "coincident": coincident,
    }


def cdnv_pairs(variances: Tensor, means: Tensor, *, exponent: float = 1.0) -> Tensor:
    """:func:`cdnv` of every pair as a symmetric matrix (K, K); the diagonal and pairs left out are NaN."""
    check_variances(variances, len(means))
    found = torch.full((len(means), len(means)), math.nan, dtype=torch.float64, device=means.device)
    tiles = _cdnv_tiles(variances.double(), means.double(), exponent)
    for (rows, columns), values in zip(pair_blocks(len(means)), tiles, strict=True):
        block = found[rows, columns]
        inside = torch.ones_like(block, dtype=torch.bool)
        block[inside.triu(diagonal=1) if rows == columns else inside] = values
    return torch.where(torch.ones_like(found, dtype=torch.bool).triu(), found, found.T)


def _cdnv_tiles(variances: Tensor, means: Tensor, exponent: float) -> Iterator[Tensor]:
    """V_ij of the pairs i < j, a tile of rows at a time; NaN where nothing differs."""
    floor = (4 * EPS) ** 2 * means.square().sum(dim=1)  # squared distance that rounding of a mean can make
    for rows, columns, squares in distance_tiles(centered(means)[0]):
        rounding = torch.maximum(floor[rows].unsqueeze(1), floor[columns])
        squares.masked_fill_(squares <= rounding, 0.0)
        if exponent != 1.0:
            squares.pow_(exponent)
        spread = (variances[rows].unsqueeze(1) + variances[columns]) / 2
        yield pairs_of(spread.div_(squares), rows, columns)


def _median(values: Tensor) -> float:
    """The middle value, or the mean of the two middle ones."""
    ordered = values.sort().values
    middle = (len(ordered) - 1) / 2
    low, high = ordered[math.floor(middle)], ordered[math.ceil(middle)]
    return float(low) if low == high else float((low + high) / 2)
