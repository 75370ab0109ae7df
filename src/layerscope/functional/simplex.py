"""NC2: how close class means, or a classifier's rows, come to a simplex equiangular tight frame (ETF)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.between import centered, rounding_floor
from layerscope.functional.gram import gram
from layerscope.functional.pairs import TileMoments, cosine_tiles
from layerscope.functional.points import check_points


def equinorm(means: Tensor, weights: Tensor | None = None, *, unbiased: bool = False) -> float:
    r"""Spread of the lengths of the centred class means: population std over mean of :math:`|\mu_c - \mu|`.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.
    unbiased : bool
        Divide by K-1 in the std, as Papyan's notebook does.

    Returns
    -------
    float
        In [0, sqrt(K-1)]; 0 for an ETF; always 0 for two equally weighted classes. NaN if all means
        coincide or K < 2.

    References
    ----------
    Papyan, Han, Donoho (2020), arXiv:2008.08186.
    """
    return _norm_spread(centered(means, weights)[0], unbiased) if len(means) >= 2 else math.nan


def weight_equinorm(weight: Tensor, *, center: bool = False, unbiased: bool = False) -> float:
    """:func:`equinorm` of the rows of a classifier (K, D), as they are or minus their mean."""
    return _norm_spread(_rows(weight, center), unbiased) if len(weight) >= 2 else math.nan


def equiangularity(
    means: Tensor, weights: Tensor | None = None, *, precision: torch.dtype = torch.float64
) -> tuple[float, float]:
    r"""How far the angles between centred class means are from those of a simplex ETF.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.
    precision : dtype
        Of the features: a mean that their rounding alone could part from the centre has no direction.

    Returns
    -------
    offset : float
        Mean over pairs of :math:`|\cos(m_i, m_j) + 1/(K-1)|`; 0 for an ETF. The absolute value matters: the
        signed mean is about 0 for every equinorm centred set, since :math:`\sum_c m_c = 0` forces a mean
        cosine of -1/(K-1).
    spread : float
        Population standard deviation of the cosines; 0 for an ETF. Both NaN when fewer than one pair has
        directions. A mean that equals the centre has no direction, so its pairs are left out.

    References
    ----------
    Papyan, Han, Donoho (2020), arXiv:2008.08186.
    """
    if len(means) < 2:
        return math.nan, math.nan
    offsets, _ = centered(means, weights)
    return _angles(offsets[has_direction(offsets, means, precision)], len(means))


def weight_equiangularity(weight: Tensor, *, center: bool = False) -> tuple[float, float]:
    """:func:`equiangularity` of the rows of a classifier (K, D), as they are or minus their mean."""
    if len(weight) < 2:
        return math.nan, math.nan
    rows = _rows(weight, center)
    return _angles(rows[has_direction(rows, weight)], len(weight))


def directionless(
    means: Tensor, weights: Tensor | None = None, *, precision: torch.dtype = torch.float64
) -> int:
    """Number of class means that equal the centre up to rounding in ``precision``: they have no direction."""
    return int((~has_direction(centered(means, weights)[0], means, precision)).sum())


def etf_error(means: Tensor, weights: Tensor | None = None) -> float:
    r"""Distance of the normalised Gram matrix of centred means from that of a simplex ETF.

    :math:`\left\| G/\|G\|_F - (I - \mathbf{1}\mathbf{1}^\top/K)/\sqrt{K-1} \right\|_F`, :math:`G_{ij} =
    \langle m_i, m_j\rangle`.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.

    Returns
    -------
    float
        In [0, sqrt 2]; 0 for a simplex ETF. With K > D + 1 no ETF exists: compare with :func:`etf_floor`.
        NaN if all means coincide or K < 2.

    References
    ----------
    Kothapalli (2022), arXiv:2206.04041.
    """
    return _frame_error(centered(means, weights)[0]) if len(means) >= 2 else math.nan


def weight_etf_error(weight: Tensor, *, center: bool = False) -> float:
    """:func:`etf_error` of the rows of a classifier (K, D), as they are or minus their mean.

    As they are: Zhu et al. (2021), arXiv:2105.02375. Minus their mean: Zhou et al. (2022), arXiv:2203.01238.
    """
    return _frame_error(_rows(weight, center)) if len(weight) >= 2 else math.nan


def etf_floor(num_classes: int, dim: int) -> float:
    r"""Smallest :func:`etf_error` that K class means in D dimensions can reach.

    :math:`\sqrt{2 - 2\sqrt{r/(K-1)}}` with r = min(D, K-1): 0 as long as K ≤ D + 1.
    """
    if num_classes < 2:
        return math.nan
    rank = min(dim, num_classes - 1)
    return math.sqrt(max(2 - 2 * math.sqrt(rank / (num_classes - 1)), 0.0))


def has_direction(offsets: Tensor, means: Tensor, precision: torch.dtype = torch.float64) -> Tensor:
    """Which centred means (K,) are longer than what rounding of ``means`` leaves of the centre."""
    return torch.linalg.vector_norm(offsets, dim=1) > rounding_floor(means, precision)


def _rows(weight: Tensor, center: bool) -> Tensor:
    check_points(weight, "classifier's weights")
    return centered(weight)[0] if center else weight.double()


def _norm_spread(rows: Tensor, unbiased: bool) -> float:
    norms = torch.linalg.vector_norm(rows, dim=1)
    return float(norms.std(correction=int(unbiased)) / norms.mean()) if norms.mean() > 0 else math.nan


def _angles(rows: Tensor, classes: int) -> tuple[float, float]:
    """Mean |cos + 1/(K-1)| and population std of the cosines over the pairs of rows."""
    unit = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    sizes, cosines = TileMoments(), TileMoments()
    for tile in cosine_tiles(unit):
        sizes.add((tile + 1 / (classes - 1)).abs())
        cosines.add(tile)
    if not cosines.count:
        return math.nan, math.nan
    return sizes.mean, math.sqrt(cosines.variance)


def _frame_error(rows: Tensor) -> float:
    r"""Distance of G = R Rᵀ, R (K, D), from the Gram matrix of a simplex, both of unit Frobenius norm.

    With v the mean row and C = R - 1 vᵀ, G splits into C Cᵀ, twice C v 1ᵀ and |v|² 1 1ᵀ, which are
    orthogonal; the simplex is a multiple of the identity on what C Cᵀ acts on. So the distance of Cᵀ C from
    the identity does as well, and no K×K matrix is formed when D is smaller.
    """
    classes, dim = rows.shape
    mean = rows.mean(dim=0)
    offsets = rows - mean
    inner = gram(offsets if dim < classes else offsets.T)
    mixed = classes * (offsets @ mean).square().sum()
    common = (classes * mean.square().sum()).square()
    size = float((inner.norm().square() + 2 * mixed + common).sqrt())
    if not size > 0:
        return math.nan
    inner /= size
    inner.diagonal().sub_(1 / math.sqrt(classes - 1))
    if dim >= classes:  # the mean row is no direction of the simplex
        inner += 1 / (classes * math.sqrt(classes - 1))
    absent = max(classes - 1 - dim, 0) / (classes - 1)
    beside = float(2 * mixed + common) / size / size
    return math.sqrt(float(inner.norm()) ** 2 + beside + absent)
