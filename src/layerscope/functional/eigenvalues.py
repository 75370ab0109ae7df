"""The eigenvalues of a positive operator as far as they are known, and the entropy of their powers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.functional.units import Units, in_units


@dataclass(frozen=True)
class Eigenvalues:
    r"""All eigenvalues of an n×n operator, or some of them and a quadrature for the others.

    Sums :math:`\sum_j f(\lambda_j)` over what is not known one by one are means over random probes of
    :math:`\sum_s w_s f(x_s)` (stochastic Lanczos quadrature). One object serves every power t.

    Attributes
    ----------
    size : int
        n.
    values : Tensor (m,), float64
        Those known one by one, not negative, descending.
    nodes, weights : Tensor (probes, steps), float64, optional
        Quadrature of the others; None when ``values`` are all there are.
    """

    size: int
    values: Tensor
    nodes: Tensor | None = None
    weights: Tensor | None = None

    @property
    def exact(self) -> bool:
        """Whether every eigenvalue is known."""
        return self.nodes is None

    def moments(self, t: float) -> tuple[Tensor, Tensor]:
        r""":math:`\sum\lambda^t` and :math:`\sum\lambda^t\ln\lambda^t` by each probe (probes,), or once.

        Eigenvalues are taken relative to the largest known one.
        """
        if not 0 < t < math.inf:
            raise ValueError(f"the power t must be positive and finite, not {t}")
        scale = self.values.max() if self.values.numel() else 1.0
        total, weighted = (part.sum() for part in _terms(self.values / scale, t))
        if self.nodes is None or self.weights is None:
            return total.unsqueeze(0), weighted.unsqueeze(0)
        rest, rest_weighted = ((self.weights * part).sum(dim=1) for part in _terms(self.nodes / scale, t))
        return total + rest, weighted + rest_weighted


def spectral_entropy(eigenvalues: Eigenvalues | Tensor, t: float = 1.0, *, units: Units = "nats") -> float:
    r"""Entropy :math:`-\sum_i a_i\ln a_i`, :math:`a_i = |\lambda_i|^t/\sum_j|\lambda_j|^t`, of a spectrum.

    Parameters
    ----------
    eigenvalues : Eigenvalues, or Tensor (n,) of all of them
    t : float
        Power, positive; the entropy never rises with it.
    units : "nats" | "bits"

    Returns
    -------
    float
        In :math:`[0, \ln n]`; NaN for no eigenvalues, or zeros only.

    Raises
    ------
    ValueError
        t is not positive and finite, or unknown units.
    """
    totals, weighted = _known(eigenvalues).moments(t)
    total, product = float(totals.mean()), float(weighted.mean())
    if not total > 0:
        return in_units(math.nan, units)
    return in_units(max(math.log(total) - product / total, 0.0), units)


def spectral_entropy_error(
    eigenvalues: Eigenvalues | Tensor, t: float = 1.0, *, units: Units = "nats"
) -> float:
    """Standard error of :func:`spectral_entropy` by the spread of the random probes (delta method).

    0 when every eigenvalue is known; NaN for a single probe.
    """
    known = _known(eigenvalues)
    totals, weighted = known.moments(t)
    if known.exact:
        return in_units(0.0, units)
    total, product = totals.mean(), weighted.mean()
    influence = ((1 + product / total) * totals - weighted) / total
    if len(influence) < 2:
        return math.nan
    return in_units(float(influence.std()) / math.sqrt(len(influence)), units)


def saturation(eigenvalues: Eigenvalues | Tensor, t: float = 1.0) -> float:
    r"""Spectral entropy over its ceiling :math:`\ln n`, in [0, 1]; NaN for fewer than two points.

    Near 1 every point stands alone (bandwidth too small), near 0 all look alike (too large): either way
    the value says little about the data.
    """
    known = _known(eigenvalues)
    return spectral_entropy(known, t) / math.log(known.size) if known.size > 1 else math.nan


def _known(eigenvalues: Eigenvalues | Tensor) -> Eigenvalues:
    if isinstance(eigenvalues, Eigenvalues):
        return eigenvalues
    values = eigenvalues.double().abs().sort(descending=True).values
    return Eigenvalues(len(values), values)


def _terms(values: Tensor, t: float) -> tuple[Tensor, Tensor]:
    powers = values**t
    return powers, t * torch.special.xlogy(powers, values)
