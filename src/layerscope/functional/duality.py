"""NC3 at the classifier: its rows against the class means that they read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.between import EPS
from layerscope.functional.dot_products import paired_rows, similarities
from layerscope.functional.gram import gram
from layerscope.functional.pairs import row_tiles
from layerscope.functional.simplex import has_direction

CLEAR = 1e-3  # norm of products, relative to its factors', from which their Gram matrices give ten digits


@dataclass(frozen=True)
class Uniformity:
    r"""How evenly every class mean meets its own row of the classifier.

    Attributes
    ----------
    variance : float
        Population variance over classes of :math:`\langle w_c, m_c\rangle`.
    variation : float
        Their population std over the size of their mean; free of scale.
    cosine_variance : float
        Population variance over classes of :math:`\cos(w_c, m_c)`.
    cosine_mean : float
        Mean of those cosines.
    """

    variance: float
    variation: float
    cosine_variance: float
    cosine_mean: float


def self_duality_frobenius(
    weight: Tensor, means: Tensor, weights: Tensor | None = None, *, center_weight: bool = False
) -> float:
    r"""Squared distance of classifier and centred means, :math:`\|W/\|W\|_F - M/\|M\|_F\|_F^2`.

    Parameters
    ----------
    weight : Tensor (K, D)
        Rows of the classes that ``means`` has.
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.
    center_weight : bool
        Subtract the mean row from W.

    Returns
    -------
    float
        In [0, 4]: 0 for W = a M with a > 0, whatever M is; 2 for W orthogonal to M; 4 for W = -a M. NaN if
        either is zero or K < 2.

    Raises
    ------
    ValueError
        W and the means have different shapes.

    References
    ----------
    Papyan, Han, Donoho (2020), arXiv:2008.08186.
    """
    rows, offsets = paired_rows(weight, means, weights, center_weight=center_weight)
    sizes = rows.norm(), offsets.norm()
    if len(means) < 2 or not has_direction(offsets, means).any() or not sizes[0] > 0:
        return math.nan
    return float((rows / sizes[0] - offsets / sizes[1]).square().sum())


def self_duality_etf(
    weight: Tensor, means: Tensor, weights: Tensor | None = None, *, center_weight: bool = False
) -> float:
    r"""Distance of the normalised products of classifier and centred means from a simplex ETF.

    :math:`\left\| WM^\top/\|WM^\top\|_F - (I - \mathbf{1}\mathbf{1}^\top/K)/\sqrt{K-1} \right\|_F`. Unlike
    :func:`self_duality_frobenius` it is 0 for W = a M only if M is an ETF, too.

    Parameters
    ----------
    weight, means, weights, center_weight
        As of :func:`self_duality_frobenius`.

    Returns
    -------
    float
        In [0, 2]; NaN if the product is zero or K < 2.

    Raises
    ------
    ValueError
        W and the means have different shapes.

    References
    ----------
    Zhu et al. (2021), arXiv:2105.02375; Zhou et al. (2022), arXiv:2203.01238.
    """
    rows, offsets = paired_rows(weight, means, weights, center_weight=center_weight)
    classes = len(means)
    if classes < 2 or not has_direction(offsets, means).any():
        return math.nan
    lengths = float(rows.norm()) * float(offsets.norm())
    if rows.shape[1] < classes - 1:
        size = math.sqrt(max(float((gram(rows) * gram(offsets)).sum()), 0.0))
        if size > CLEAR * lengths:
            return _from_size(rows, offsets, size)
    parts = list(row_tiles(classes))
    tiles: Iterable[Tensor] = _ProductTiles(rows, offsets, parts)
    if len(parts) == 1:
        tiles = list(tiles)  # formed once; many are formed again, so that none has to be kept
    size = math.sqrt(sum(float(torch.linalg.vector_norm(tile)) ** 2 for tile in tiles))
    if not size > 16 * EPS * lengths:
        return math.nan
    total = 0.0
    for part, tile in zip(parts, tiles, strict=True):
        tile.div_(size).add_(1 / (classes * math.sqrt(classes - 1)))
        tile.diagonal(part.start).sub_(1 / math.sqrt(classes - 1))
        total += float(torch.linalg.vector_norm(tile)) ** 2
    return math.sqrt(total)


def _from_size(rows: Tensor, offsets: Tensor, size: float) -> float:
    r"""The same of products :math:`P = WM^\top` of known norm: :math:`\sqrt{2 - 2 \langle P, F\rangle/|P|}`.

    Products of rank D < K - 1 never come so close to the ETF's F that the difference cancels.
    """
    classes = len(rows)
    trace, total = float((rows * offsets).sum()), float(rows.sum(dim=0) @ offsets.sum(dim=0))
    return math.sqrt(2 - 2 * (trace - total / classes) / (size * math.sqrt(classes - 1)))


@dataclass(frozen=True)
class _ProductTiles:
    """Products of rows (K, D) with others (K, D), a tile of rows at a time."""

    rows: Tensor
    others: Tensor
    parts: list[slice]

    def __iter__(self) -> Iterator[Tensor]:
        return (self.rows[part] @ self.others.T for part in self.parts)


def self_duality_error(
    weight: Tensor,
    means: Tensor,
    weights: Tensor | None = None,
    *,
    form: Literal["etf", "frobenius"] = "etf",
    center_weight: bool = False,
) -> float:
    """NC3 in either of the two forms that go by that name, which are different numbers.

    Parameters
    ----------
    weight, means, weights, center_weight
        As of :func:`self_duality_frobenius`.
    form : "etf" | "frobenius"
        :func:`self_duality_etf` (Zhu et al. 2021) or :func:`self_duality_frobenius` (Papyan et al. 2020).

    Raises
    ------
    ValueError
        W and the means have different shapes, or an unknown form.
    """
    if form not in _FORMS:
        raise ValueError(f"form must be 'etf' or 'frobenius', not {form!r}")
    return _FORMS[form](weight, means, weights, center_weight=center_weight)


_FORMS = {"etf": self_duality_etf, "frobenius": self_duality_frobenius}


def uniform_duality(
    weight: Tensor,
    means: Tensor,
    weights: Tensor | None = None,
    *,
    precision: torch.dtype = torch.float64,
) -> Uniformity:
    r"""UNC3: spread over classes of how strongly the classifier's row meets the centred class mean.

    Parameters
    ----------
    weight, means, weights
        As of :func:`self_duality_frobenius`.
    precision : dtype
        Of the features: a mean that their rounding alone could part from the centre has no direction.

    Returns
    -------
    Uniformity
        All spreads are 0 for a self-dual ETF. NaN with fewer than two classes; cosines leave out rows and
        means without a direction.

    Raises
    ------
    ValueError
        W and the means have different shapes.

    References
    ----------
    Wu, Papyan (2024), arXiv:2405.17767.
    """
    products = similarities(weight, means, weights)
    if len(means) < 2:
        return Uniformity(math.nan, math.nan, math.nan, math.nan)
    cosines = similarities(weight, means, weights, cosine=True, precision=precision)
    kept = ~cosines.isnan()
    cosines = cosines[kept]
    mean, variance = float(products.mean()), float(products.var(correction=0))
    some = bool(kept.any())
    return Uniformity(
        variance,
        math.sqrt(variance) / abs(mean) if mean else math.nan,
        float(cosines.var(correction=0)) if some else math.nan,
        float(cosines.mean()) if some else math.nan,
    )


def bias_collapse(weight: Tensor, bias: Tensor | None, center: Tensor) -> float:
    r"""What the classifier gives the centre of the features: :math:`|W\mu + b|_2`, which tends to 0.

    Parameters
    ----------
    weight : Tensor (K, D)
    bias : Tensor (K,), optional
        Zero when omitted.
    center : Tensor (D,)

    References
    ----------
    Zhu et al. (2021), arXiv:2105.02375.
    """
    if weight.shape[1:] != center.shape:
        raise ValueError(f"a classifier of {weight.shape[1]} features cannot read {len(center)}")
    logits = weight.double() @ center.double()
    return float((logits if bias is None else logits + bias.double()).norm())
