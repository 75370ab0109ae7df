"""Samples whose mutual information is known in closed form: what an estimator can be held to.

The families are those of Czyż et al. (2023), Beyond normal, arXiv:2306.11078: Gaussians with few or many
dependent coordinates, heavy tails, and smooth maps of a block, which change no mutual information.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from layerscope.errors import DataError


@dataclass(frozen=True, eq=False)
class KnownInformation:
    """Paired samples with the truth about them.

    Attributes
    ----------
    x : Tensor (N, d_x), float64
    y : Tensor (N, d_y), float64
    nats : float
        Mutual information of the distribution that they are drawn from.
    """

    x: Tensor
    y: Tensor
    nats: float


def gaussian_pairs(
    samples: int, rho: float, *, dim: int = 1, interacting: int | None = None, seed: int = 0
) -> KnownInformation:
    r"""Standard Gaussians whose first coordinates are correlated pair by pair, the others independent.

    :math:`I = -\frac m2 \ln(1-\rho^2)` with m ``interacting`` coordinates.

    Parameters
    ----------
    samples, dim : int
    rho : float
        In (-1, 1).
    interacting : int, optional
        All of ``dim`` when omitted.
    """
    pairs = dim if interacting is None else interacting
    if not 0 <= pairs <= dim:
        raise DataError(f"{pairs} of {dim} coordinates cannot be correlated")
    cross = torch.zeros(dim, dim, dtype=torch.float64)
    cross.diagonal()[:pairs] = rho
    eye = torch.eye(dim, dtype=torch.float64)
    covariance = torch.cat([torch.cat([eye, cross], dim=1), torch.cat([cross.T, eye], dim=1)])
    return gaussian(samples, covariance, dim, seed=seed)


def equicorrelated_gaussian(samples: int, rho: float, *, dim: int, seed: int = 0) -> KnownInformation:
    """Standard Gaussians in which every two coordinates, of either block, have one correlation in [0, 1)."""
    covariance = torch.full((2 * dim, 2 * dim), rho, dtype=torch.float64)
    covariance.diagonal().fill_(1.0)
    return gaussian(samples, covariance, dim, seed=seed)


def gaussian(samples: int, covariance: Tensor, dim_x: int, *, seed: int = 0) -> KnownInformation:
    """A centred Gaussian of given covariance (d_x + d_y, d_x + d_y), its first ``dim_x`` variables being x.

    Raises
    ------
    DataError
        The covariance is not positive definite.
    """
    factor = _factor(covariance)
    normal = torch.randn(samples, len(covariance), generator=_generator(seed), dtype=torch.float64)
    both = normal @ factor.T
    return KnownInformation(both[:, :dim_x], both[:, dim_x:], _gaussian_nats(covariance, dim_x))


def student(
    samples: int, degrees: float, *, dim: int = 1, dispersion: Tensor | None = None, seed: int = 0
) -> KnownInformation:
    r"""A centred multivariate Student-t: dependent through the common tail even with no correlation.

    With the entropy :math:`h_\nu(d) = \ln\frac{\Gamma(\nu/2)}{\Gamma((\nu+d)/2)} + \frac d2\ln(\nu\pi) +
    \frac{\nu+d}2(\psi(\frac{\nu+d}2) - \psi(\frac\nu2))`, it is :math:`h_\nu(d_x) + h_\nu(d_y) -
    h_\nu(d_x+d_y)` above the Gaussian of the same dispersion (Arellano-Valle et al. 2013, Scand. J. Stat.).

    Parameters
    ----------
    samples, dim : int
    degrees : float
        ν > 0; below 2 there is no variance, at 1 no mean.
    dispersion : Tensor (2 dim, 2 dim), optional
        Identity when omitted.
    """
    if not degrees > 0:
        raise DataError(f"Student's t needs degrees of freedom above 0, not {degrees}")
    matrix = torch.eye(2 * dim, dtype=torch.float64) if dispersion is None else dispersion
    base = gaussian(samples, matrix, dim, seed=seed)
    chi = torch.from_numpy(np.random.default_rng(seed).chisquare(degrees, (samples, 1)))
    stretch = (degrees / chi).sqrt()
    extra = 2 * _student_entropy(degrees, dim) - _student_entropy(degrees, 2 * dim)
    return KnownInformation(base.x * stretch, base.y * stretch, base.nats + extra)


def swiss_roll(known: KnownInformation) -> KnownInformation:
    """Roll up a one-dimensional x with a standard normal law into a spiral in the plane (N, 2)."""
    share = torch.special.ndtr(known.x)
    angle = 1.5 * math.pi * (1 + 2 * share)
    return replace(known, x=torch.cat([angle * angle.cos(), angle * angle.sin()], dim=1) / 21)


def spiral(known: KnownInformation, speed: float = 1 / 3) -> KnownInformation:
    """Turn the first two coordinates of each x by an angle that grows with its squared length."""
    if known.x.shape[1] < 2:
        raise DataError("a spiral needs at least two coordinates")
    angle = speed * known.x.square().sum(dim=1)
    first, second = known.x[:, 0], known.x[:, 1]
    turned = torch.stack(
        [angle.cos() * first - angle.sin() * second, angle.sin() * first + angle.cos() * second], dim=1
    )
    return replace(known, x=torch.cat([turned, known.x[:, 2:]], dim=1))


def half_cube(known: KnownInformation) -> KnownInformation:
    """Stretch the tails of both blocks: the sign times the size to the power 3/2."""
    return replace(known, x=_stretched(known.x), y=_stretched(known.y))


def embedded(known: KnownInformation, ambient: int, *, noise: float = 0.0, seed: int = 0) -> KnownInformation:
    """Carry both blocks into ``ambient`` dimensions by random rotations, as features of a wide layer are.

    Parameters
    ----------
    noise : float
        Standard deviation of independent noise in the directions that carry nothing.
    """
    generator = _generator(seed)
    x, y = (_carried(points, ambient, noise, generator) for points in (known.x, known.y))
    return replace(known, x=x, y=y)


def _carried(points: Tensor, ambient: int, noise: float, generator: torch.Generator) -> Tensor:
    samples, dim = points.shape
    if ambient < dim:
        raise DataError(f"{dim} dimensions do not fit into {ambient}")
    turn, _ = torch.linalg.qr(torch.randn(ambient, ambient, generator=generator, dtype=torch.float64))
    rest = noise * torch.randn(samples, ambient - dim, generator=generator, dtype=torch.float64)
    return torch.cat([points, rest], dim=1) @ turn.T


def _stretched(points: Tensor) -> Tensor:
    return points.sign() * points.abs() ** 1.5


def _gaussian_nats(covariance: Tensor, dim_x: int) -> float:
    parts = (covariance[:dim_x, :dim_x], covariance[dim_x:, dim_x:], covariance)
    left, right, both = (float(torch.linalg.slogdet(part.double())[1]) for part in parts)
    return (left + right - both) / 2


def _student_entropy(degrees: float, dim: int) -> float:
    low, high = (torch.tensor(value, dtype=torch.float64) for value in (degrees / 2, (degrees + dim) / 2))
    gammas = torch.lgamma(low) - torch.lgamma(high)
    tail = high * (torch.digamma(high) - torch.digamma(low))
    return float(gammas + tail) + dim / 2 * math.log(degrees * math.pi)


def _factor(covariance: Tensor) -> Tensor:
    factor, failed = torch.linalg.cholesky_ex(covariance.double())
    if int(failed):
        raise DataError(f"a covariance is positive definite; this one is not (pivot {int(failed)})")
    return factor


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
