"""Lengths and products of centred class means and of a classifier's rows, one by one."""

from __future__ import annotations

import torch
from torch import Tensor

from layerscope.functional.between import centered
from layerscope.functional.points import check_points
from layerscope.functional.simplex import has_direction


def mean_norms(means: Tensor, weights: Tensor | None = None) -> Tensor:
    r"""Lengths :math:`|\mu_c - \mu|` (K,) of the centred class means, float64.

    Their spread is :func:`layerscope.functional.equinorm`; all are equal for an ETF.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.

    Raises
    ------
    ValueError
        Weights that do not fit, or means that are not finite.
    """
    return torch.linalg.vector_norm(centered(means, weights)[0], dim=1)


def mean_products(means: Tensor, weights: Tensor | None = None, *, cosine: bool = False) -> Tensor:
    r"""Products :math:`\langle m_i, m_j\rangle` (K, K) of the centred class means, or their cosines, float64.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.
    cosine : bool
        Divide by the lengths: 1 on the diagonal, and :math:`-1/(K-1)` beside it for an ETF. NaN for a mean
        that equals the centre and so has no direction.

    Raises
    ------
    ValueError
        Weights that do not fit, or means that are not finite.
    """
    offsets, _ = centered(means, weights)
    rows = _units(offsets, has_direction(offsets, means)) if cosine else offsets
    return rows @ rows.T


def similarities(
    weight: Tensor,
    means: Tensor,
    weights: Tensor | None = None,
    *,
    cosine: bool = False,
    precision: torch.dtype = torch.float64,
) -> Tensor:
    r"""Products :math:`\langle w_c, m_c\rangle` (K,) of each classifier row with its centred mean, float64.

    Equal for a self-dual ETF; their spread is :func:`layerscope.functional.uniform_duality`.

    Parameters
    ----------
    weight : Tensor (K, D)
        Rows of the classes that ``means`` has.
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.
    cosine : bool
        Divide by both lengths; NaN where a row or a mean has no direction.
    precision : dtype
        Of the features: a mean that their rounding alone could part from the centre has no direction.

    Raises
    ------
    ValueError
        W and the means have different shapes, or weights that do not fit.
    """
    rows, offsets = paired_rows(weight, means, weights)
    if cosine:
        rows = _units(rows, torch.linalg.vector_norm(rows, dim=1) > 0)
        offsets = _units(offsets, has_direction(offsets, means, precision))
    return (rows * offsets).sum(dim=1)


def paired_rows(
    weight: Tensor, means: Tensor, weights: Tensor | None, *, center_weight: bool = False
) -> tuple[Tensor, Tensor]:
    """Classifier rows, as they are or minus their mean, and centred means, both (K, D) in float64.

    Raises
    ------
    ValueError
        They have different shapes, or entries that are not finite.
    """
    if weight.shape != means.shape:
        mine, theirs = tuple(weight.shape), tuple(means.shape)
        raise ValueError(
            f"a classifier of shape {mine} cannot be compared with class means of shape {theirs}"
        )
    check_points(weight, "classifier's weights")
    rows = centered(weight)[0] if center_weight else weight.double()
    return rows, centered(means, weights)[0]


def _units(rows: Tensor, kept: Tensor) -> Tensor:
    """Rows of length 1; NaN for those that are not kept."""
    units = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return units.masked_fill(~kept.unsqueeze(1), torch.nan)
