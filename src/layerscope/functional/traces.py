"""The traces of the within- and the between-class covariance: how much varies where."""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from layerscope.functional.between import centered, check_weights


class Traces(NamedTuple):
    r"""Traces in squared units of the features.

    Attributes
    ----------
    within : float
        :math:`\mathrm{tr}\,\Sigma_w`.
    between : float
        :math:`\mathrm{tr}\,\Sigma_b`.
    """

    within: float
    between: float

    @property
    def total(self) -> float:
        r""":math:`\mathrm{tr}\,\Sigma_w + \mathrm{tr}\,\Sigma_b`, that of the total covariance."""
        return self.within + self.between

    @property
    def relative(self) -> Traces:
        """Both divided by their sum; NaN when nothing varies."""
        total = self.total
        return Traces(self.within / total, self.between / total) if total > 0 else Traces(math.nan, math.nan)


def traces(variances: Tensor, means: Tensor, weights: Tensor | None = None) -> Traces:
    r"""Traces :math:`\sum_c w_c v_c` within and :math:`\sum_c w_c |\mu_c - \mu|^2` between classes.

    Their sum is the trace of the total covariance exactly, for equal weights and for those of the samples.

    Parameters
    ----------
    variances : Tensor (K,)
        Mean squared distance of the samples of a class to their mean, :math:`v_c = \mathrm{tr}\,\Sigma_c`.
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Summing to 1; equal when omitted.

    Returns
    -------
    Traces
        In [0, inf); NaN without classes. Unchanged by rotations and shifts; of degree 2 in the scale, while
        ``relative`` has none.

    Raises
    ------
    ValueError
        Not one variance and weight per mean, or numbers that are not finite.

    References
    ----------
    Rangamani, Lindegaard, Galanti, Poggio (2023), ICML (PMLR 202).
    """
    check_variances(variances, len(means))
    if not len(means):
        return Traces(math.nan, math.nan)
    return Traces(within_trace(variances, weights), between_trace(means, weights))


def within_trace(variances: Tensor, weights: Tensor | None = None) -> float:
    r""":math:`\mathrm{tr}\,\Sigma_w = \sum_c w_c v_c` of class variances (K,); equal weights when omitted."""
    if weights is None:
        return float(variances.double().mean()) if len(variances) else math.nan
    check_weights(weights, len(variances))
    return float(weights.double() @ variances.double())


def between_trace(means: Tensor, weights: Tensor | None = None, *, center: Tensor | None = None) -> float:
    r""":math:`\mathrm{tr}\,\Sigma_b = \sum_c w_c |\mu_c - \mu|^2`.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Summing to 1; equal when omitted.
    center : Tensor (K,), optional
        Weights of the centre, when they are not ``weights``.
    """
    offsets, _ = centered(means, weights if center is None else center)
    squares = offsets.square().sum(dim=1)
    return float(squares.mean() if weights is None else weights.double() @ squares)


def check_variances(variances: Tensor, classes: int) -> None:
    """Refuse what cannot be the variances of these classes.

    Raises
    ------
    ValueError
    """
    if variances.shape != (classes,):
        raise ValueError(f"{classes} class means need as many variances, not {tuple(variances.shape)}")
    if not bool(variances.isfinite().all()) or bool((variances < 0).any()):
        raise ValueError("variances of classes are finite and not negative")
