"""The eigenvalues of a positive operator as far as they are known, and the entropy of their powers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from layerscope.functional.units import Units, in_units

FEW_PROBES = 8  # fewer cannot tell three coefficients and a spread
SMALL = 1e-9
LEAST_POWER = 0.5  # below, eigenvalues that rounding hides decide: 2 % of a nat and more at 1/4


@dataclass(frozen=True)
class Eigenvalues:
    r"""All eigenvalues of an n×n positive operator, or some of them and a quadrature for the others.

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
    traces : (float, float), optional
        Exact sums of all eigenvalues and of their squares: control variates of the probes.
    least_power : float
        The smallest power t that they are good for; those below are refused.
    floor : float
        Values that do not exceed it may be rounding, and count as 0 for t below 1.
    """

    size: int
    values: Tensor
    nodes: Tensor | None = None
    weights: Tensor | None = None
    traces: tuple[float, float] | None = None
    least_power: float = 0.0
    floor: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether every eigenvalue is known."""
        return self.nodes is None

    def sums(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Sum of a function of all eigenvalues, by each probe (probes,), or once (1,)."""
        known = function(self.values).sum()
        if self.nodes is None or self.weights is None:
            return known.unsqueeze(0)
        return known + (self.weights * function(self.nodes)).sum(dim=1)


def check_power(t: float, least: float) -> None:
    """Refuse a power that eigenvalues are not known well enough for, ``least`` being the smallest.

    Raises
    ------
    ValueError
        t is not positive and finite, or too small.
    """
    if not 0 < t < math.inf:
        raise ValueError(f"the power t must be positive and finite, not {t}")
    if t < min(least, LEAST_POWER):
        raise ValueError(
            f"the power t must be at least {LEAST_POWER}, not {t}: below, the entropy is decided by "
            "eigenvalues that are smaller than rounding"
        )
    if t < least:
        raise ValueError(
            f"the power t = {t} is below 1, which takes every eigenvalue in float64: precision='float64' and "
            "method='exact', which up to 5,000 points is the default"
        )


def spectral_entropy(eigenvalues: Eigenvalues | Tensor, t: float = 1.0, *, units: Units = "nats") -> float:
    r"""Entropy :math:`-\sum_i a_i\ln a_i`, :math:`a_i = |\lambda_i|^t/\sum_j|\lambda_j|^t`, of a spectrum.

    Parameters
    ----------
    eigenvalues : Eigenvalues, or Tensor (n,) of all of them
    t : float
        Power, positive; the entropy never rises with it. At least 1/2 for computed spectra, 1 for those in
        float32 or by quadrature: below, the errors of small eigenvalues would decide.
    units : "nats" | "bits"

    Returns
    -------
    float
        In :math:`[0, \ln n]`; NaN for no eigenvalues, or zeros only.

    Raises
    ------
    ValueError
        t is not positive and finite, or too small for these eigenvalues, or unknown units.
    """
    return in_units(_estimate(eigenvalues, t)[0], units)


def spectral_entropy_error(
    eigenvalues: Eigenvalues | Tensor, t: float = 1.0, *, units: Units = "nats"
) -> float:
    """Standard error of :func:`spectral_entropy` by the spread of the random probes (delta method).

    0 when every eigenvalue is known; NaN for fewer than two probes.
    """
    return in_units(_estimate(eigenvalues, t)[1], units)


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


def _estimate(eigenvalues: Eigenvalues | Tensor, t: float) -> tuple[float, float]:
    """Entropy and its standard error, from the sums of x^t and of x^t ln x^t."""
    known = _known(eigenvalues)
    check_power(t, known.least_power)
    if t < 1 and known.floor > 0:
        known = replace(known, values=torch.where(known.values > known.floor, known.values, 0.0))
    scale = float(known.values.max()) if known.values.numel() else 0.0
    if not scale > 0:
        return math.nan, math.nan
    totals = known.sums(lambda values: (values / scale) ** t)
    weighted = known.sums(lambda values: t * torch.special.xlogy((values / scale) ** t, values / scale))
    (total, _), (product, _) = _mean(totals, known), _mean(weighted, known)
    influence = ((1 + product / total) * totals - weighted) / total
    return max(math.log(total) - product / total, 0.0), _mean(influence, known)[1]


def _mean(samples: Tensor, known: Eigenvalues) -> tuple[float, float]:
    """Expectation of samples (probes,) and its standard error, by regression on what is known exactly."""
    samples, count = samples.cpu(), len(samples)
    if known.exact or count < 2:
        return float(samples.mean()), 0.0 if known.exact else math.nan
    mean, deviations = samples.mean(), samples - samples.mean()
    controls, gap = _controls(known) if count >= FEW_PROBES else (samples.new_zeros(count, 0), samples[:0])
    inverse = torch.linalg.pinv(controls, rtol=SMALL)
    slopes = inverse @ deviations
    residuals = deviations - controls @ slopes
    variance = float(residuals.square().sum()) / (count - 1 - controls.shape[1])
    leverage = 1 / count + float((gap @ inverse).square().sum())
    return float(mean + gap @ slopes), math.sqrt(variance * leverage)


def _controls(known: Eigenvalues) -> tuple[Tensor, Tensor]:
    """Deviations (probes, m) of sums whose truth is known, and that truth (m,) from their mean."""
    if known.traces is None:
        return torch.zeros(known.sums(torch.square).numel(), 0).double(), torch.zeros(0).double()
    sums = torch.stack([known.sums(lambda x: x), known.sums(torch.square)], dim=1).cpu()
    truth = torch.tensor(known.traces, dtype=torch.float64)
    deviations, gap = (sums - sums.mean(dim=0)) / truth, 1 - sums.mean(dim=0) / truth
    useful = deviations.abs().amax(dim=0) > SMALL  # what no probe sees differently explains nothing
    return deviations[:, useful], gap[useful]
