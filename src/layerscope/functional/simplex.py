"""NC2: how close the class means come to a simplex equiangular tight frame (ETF)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.between import centered, rounding_floor


def equinorm(means: Tensor, weights: Tensor | None = None) -> float:
    r"""Spread of the lengths of the centred class means: population std over mean of :math:`|\mu_c - \mu|`.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.

    Returns
    -------
    float
        In [0, sqrt(K-1)]; 0 for an ETF; always 0 for two equally weighted classes. NaN if all means
        coincide or K < 2.

    References
    ----------
    Papyan, Han, Donoho (2020), arXiv:2008.08186.
    """
    if len(means) < 2:
        return math.nan
    norms = centered(means, weights)[0].norm(dim=1)
    return float(norms.std(correction=0) / norms.mean()) if norms.mean() > 0 else math.nan


def equiangularity(means: Tensor, weights: Tensor | None = None) -> tuple[float, float]:
    r"""How far the angles between centred class means are from those of a simplex ETF.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.

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
    cosines = _pair_cosines(means, weights)
    if cosines.numel() == 0:
        return math.nan, math.nan
    offset = (cosines + 1 / (len(means) - 1)).abs().mean()
    return float(offset), float(cosines.std(correction=0))


def directionless(means: Tensor, weights: Tensor | None = None) -> int:
    """Number of class means that equal the centre up to rounding, and so have no direction."""
    return int((~_has_direction(centered(means, weights)[0], means)).sum())


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
    if len(means) < 2:
        return math.nan
    offsets, _ = centered(means, weights)
    gram = offsets @ offsets.T
    size = gram.norm()
    if not size > 0:
        return math.nan
    classes = len(means)
    target = torch.eye(classes, dtype=gram.dtype, device=gram.device) - 1 / classes
    return float((gram / size - target / math.sqrt(classes - 1)).norm())


def etf_floor(num_classes: int, dim: int) -> float:
    r"""Smallest :func:`etf_error` that K class means in D dimensions can reach.

    :math:`\sqrt{2 - 2\sqrt{r/(K-1)}}` with r = min(D, K-1): 0 as long as K ≤ D + 1.
    """
    if num_classes < 2:
        return math.nan
    rank = min(dim, num_classes - 1)
    return math.sqrt(max(2 - 2 * math.sqrt(rank / (num_classes - 1)), 0.0))


def _has_direction(offsets: Tensor, means: Tensor) -> Tensor:
    """Which centred means (K,) are longer than what rounding leaves of the centre."""
    return torch.linalg.vector_norm(offsets, dim=1) > rounding_floor(means)


def _pair_cosines(means: Tensor, weights: Tensor | None) -> Tensor:
    """Cosines of the pairs i < j of centred means that have a direction."""
    if len(means) < 2:
        return means.new_empty(0, dtype=torch.float64)
    offsets, _ = centered(means, weights)
    offsets = offsets[_has_direction(offsets, means)]
    unit = offsets / offsets.norm(dim=1, keepdim=True)
    cosines = unit @ unit.T
    pairs: Tensor = cosines[torch.ones_like(cosines, dtype=torch.bool).triu(diagonal=1)]
    return pairs
