"""The diffusion operator of a cloud of points, its spectrum, and the entropy of both."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.affinity import (
    Affinity,
    Precision,
    affinity_tiles,
    dense_affinity,
    gaussian_affinity,
)
from layerscope.functional.eigenvalues import (
    LEAST_POWER,
    Eigenvalues,
    check_power,
    spectral_entropy,
    spectral_entropy_error,
)
from layerscope.functional.lanczos import krylov_pairs, lanczos_quadratures
from layerscope.functional.pairs import TILE
from layerscope.functional.rounding import cleared, rounding_floor
from layerscope.functional.symmetric import stacked_eigenvalues
from layerscope.functional.units import Units, in_units

Method = Literal["exact", "lanczos"]
EXACT = 5000  # points up to which every eigenvalue is computed
PROBES, STEPS = 16, 40
FEWEST_STEPS, SETTLED = 6, 0.1  # the error that is left is about twice the change over the last fifth
DEFLATION, BLOCKS = 16, 4  # block Krylov space in which leading eigenvalues are sought


def diffusion_spectrum(
    affinity: Affinity,
    *,
    alpha: float = 0.0,
    method: Method | None = None,
    probes: int = PROBES,
    steps: int = STEPS,
    seed: int = 0,
) -> Eigenvalues:
    r"""Eigenvalues of the diffusion operator P of a Gaussian kernel W.

    :math:`A = Q^{-\alpha} W Q^{-\alpha}` with :math:`Q = \mathrm{diag}(W\mathbf 1)`, then
    :math:`P = D^{-1}A` with :math:`D = \mathrm{diag}(A\mathbf 1)`. P is stochastic, and has the real
    eigenvalues of its symmetric conjugate :math:`D^{-1/2} A D^{-1/2}`: they lie in [0, 1], the largest is 1.

    Up to 5,000 points they are computed one by one. Beyond, stochastic Lanczos quadrature stands for them:
    the leading ones that a block Krylov space finds are taken as they are, and random probes beside these
    give the rest, with a standard error (:func:`spectral_entropy_error`).

    Parameters
    ----------
    affinity : Affinity
        Its precision is that of the eigensolver, or of the products. In float32, :math:`\lambda_1 = 1` is
        taken out beforehand, so that rounding is relative to :math:`\lambda_2`. Powers t below 1 take all
        eigenvalues in float64.
    alpha : float
        In [0, 1]: 0 keeps the density of the points in the operator, 1 takes it out.
    method : "exact" | "lanczos", optional
        By the number of points when omitted; up to 64 points are always exact.
    probes, steps : int
        Of the quadrature; steps end earlier once they matter little against the standard error.
    seed : int
        Of the quadrature.

    Raises
    ------
    ValueError
        alpha outside [0, 1], an unknown method, or fewer than one probe or step.

    References
    ----------
    Coifman, Lafon (2006), Diffusion maps, ACHA 21(1); Liao et al. (2023), arXiv:2312.04823.
    """
    method = method_for(len(affinity), method)
    if probes < 1 or steps < 1:
        raise ValueError(f"a quadrature takes at least one probe and one step, not {probes} and {steps}")
    scaling, stationary = diffusion_scaling(affinity, alpha)
    if method == "exact" or len(affinity) <= DEFLATION * BLOCKS:
        values, floor = _exact(dense_affinity(affinity), scaling, stationary)
        return _all_of(values, float(floor), affinity.dtype)
    return _sampled(affinity, scaling, stationary, probes, steps, seed)


def part_spectra(
    affinity: Affinity, parts: Tensor, *, alpha: float = 0.0, seed: int = 0
) -> list[Eigenvalues]:
    """Spectra of the diffusions on parts (k, m) of the points, indices of m points each.

    Each is what :func:`diffusion_spectrum` gives for ``affinity.restricted(part)``, up to rounding; they are
    worked out together.
    """
    size, found = parts.shape[1], list[Eigenvalues]()
    if affinity.dense is None or method_for(size) == "lanczos":
        return [diffusion_spectrum(affinity.restricted(part), alpha=alpha, seed=seed) for part in parts]
    for some in torch.split(parts, max(1, TILE // max(size, 1) ** 2)):
        blocks = affinity.dense[some.unsqueeze(2), some.unsqueeze(1)]  # (k, m, m)
        ones = torch.ones(some.shape, dtype=torch.float64, device=blocks.device)
        scaling, stationary = _scaling(partial(_products, blocks), ones, alpha)
        spectra, floors = _exact(blocks, scaling, stationary)
        found += map(_all_of, spectra, floors.tolist(), [affinity.dtype] * len(some))
    return found


def _all_of(values: Tensor, floor: float, dtype: torch.dtype) -> Eigenvalues:
    return Eigenvalues(len(values), values, least_power=least_power("exact", dtype), floor=floor)


def least_power(method: Method, dtype: torch.dtype) -> float:
    """The smallest power of eigenvalues found so of which the entropy is not decided by their errors."""
    return LEAST_POWER if method == "exact" and dtype == torch.float64 else 1.0


def method_for(count: int, method: Method | None = None) -> Method:
    """The method that is meant for a number of points; ``lanczos`` for none given and more than 5,000."""
    if method is None:
        return "exact" if count <= EXACT else "lanczos"
    if method not in ("exact", "lanczos"):
        raise ValueError(f"method must be 'exact' or 'lanczos', not {method!r}")
    return method


def diffusion_spectral_entropy(
    points: Tensor,
    *,
    bandwidth: float | str = "median",
    t: float = 1.0,
    alpha: float = 0.0,
    units: Units = "nats",
    method: Method | None = None,
    precision: Precision = "float64",
    seed: int = 0,
) -> float:
    r"""Entropy (DSE) :math:`-\sum_i a_i\ln a_i`, :math:`a_i = \lambda_i^t/\sum_j\lambda_j^t`, of a diffusion.

    :math:`\lambda` are the eigenvalues of the diffusion operator (:func:`diffusion_spectrum`). Several t, the
    standard error and other entropies come from one :func:`gaussian_affinity` and one spectrum.

    Parameters
    ----------
    points : Tensor (n, D)
    bandwidth : float or str
        A number, or a rule of :func:`bandwidth_of`.
    t : float
        Steps of diffusion: the larger, the fewer the eigenvalues that count. At least 1/2; below 1 only by
        all eigenvalues in float64.
    alpha : float
        In [0, 1], see :func:`diffusion_spectrum`.
    units : "nats" | "bits"
    method, precision, seed
        See :func:`diffusion_spectrum` and :func:`gaussian_affinity`.

    Returns
    -------
    float
        In :math:`[0, \ln n]`: :math:`\ln k` for k far groups of equal points, 0 for one. NaN for no points.

    References
    ----------
    Liao et al. (2023), Assessing neural network representations during training using noise-resilient
    diffusion spectral entropy, arXiv:2312.04823, definition IV.1.
    """
    affinity = gaussian_affinity(points, bandwidth, precision=precision, seed=seed)
    check_power(t, least_power(method_for(len(affinity), method), affinity.dtype))
    return spectral_entropy(
        diffusion_spectrum(affinity, alpha=alpha, method=method, seed=seed), t, units=units
    )


def matrix_entry_entropy(affinity: Affinity, *, alpha: float = 0.0, units: Units = "nats") -> float:
    r"""Entropy :math:`-\sum_{ij}p_{ij}\ln p_{ij}` of one random step, :math:`p_{ij} = P_{ij}/n`.

    In :math:`[\ln n, 2\ln n]`: :math:`\ln n` when all points are far apart, :math:`2\ln n` when all are
    equal; NaN for no points. Computed in tiles.

    Parameters
    ----------
    affinity : Affinity
    alpha : float
        See :func:`diffusion_spectrum`; the ``dse-dsmi`` package has 1/2 here.
    units : "nats" | "bits"
    """
    count = len(affinity)
    if count == 0:
        return in_units(math.nan, units)
    scaling, stationary = diffusion_scaling(affinity, alpha)
    # P_ij = W_ij s_i s_j sqrt(d_j / d_i)
    left, right = scaling / stationary, scaling * stationary
    total = 0.0
    for rows, columns, tile in affinity_tiles(affinity):
        entries = tile.double()
        total += _entry_sum(entries, left[rows], right[columns])
        if rows != columns:
            total += _entry_sum(entries.T, left[columns], right[rows])
    return in_units(math.log(count) - total / count, units)


def diffusion_scaling(affinity: Affinity, alpha: float) -> tuple[Tensor, Tensor]:
    r"""What makes a kernel a diffusion operator, as vectors (n,) in float64.

    Returns
    -------
    scaling : Tensor
        s with :math:`s_i W_{ij} s_j` the symmetric conjugate of P.
    stationary : Tensor
        Its eigenvector of eigenvalue 1, with length 1: roots of the stationary distribution.
    """
    ones = torch.ones(len(affinity), dtype=torch.float64, device=affinity.points.device)
    return _scaling(lambda weights: affinity.product(weights.unsqueeze(1)).double().squeeze(1), ones, alpha)


def _scaling(row_sums: Callable[[Tensor], Tensor], ones: Tensor, alpha: float) -> tuple[Tensor, Tensor]:
    """:func:`diffusion_scaling` from sums of the kernel's rows with weights, and weights (…, n) of one."""
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha must lie in [0, 1], not {alpha}")
    degrees = row_sums(ones)
    inner = degrees**-alpha
    outer = inner * row_sums(inner) if alpha else degrees
    root = outer.sqrt()
    return inner / root, root / torch.linalg.vector_norm(root, dim=-1, keepdim=True)


def _products(blocks: Tensor, weights: Tensor) -> Tensor:
    """Blocks (k, m, m) times weights (k, m), in float64."""
    return (blocks @ weights.to(blocks.dtype).unsqueeze(2)).double().squeeze(2)


def _entry_sum(entries: Tensor, left: Tensor, right: Tensor) -> float:
    steps = entries * left.unsqueeze(1) * right
    return float(torch.special.xlogy(steps, steps).sum())


def _exact(dense: Tensor, scaling: Tensor, stationary: Tensor) -> tuple[Tensor, Tensor]:
    """All eigenvalues (…, n), descending, of kernels (…, n, n) with scalings (…, n); their rounding (…,)."""
    scales = scaling.to(dense.dtype)
    matrix = (dense * scales.unsqueeze(-1)).mul_(scales.unsqueeze(-2))
    if matrix.dtype == torch.float64 or not matrix.numel():
        found = stacked_eigenvalues(matrix)
        return cleared(found).clamp(max=1.0), rounding_floor(found)
    first = stationary.to(matrix.dtype)
    matrix -= first.unsqueeze(-1) * first.unsqueeze(-2)
    found = stacked_eigenvalues(matrix)
    others = cleared(found).clamp(max=1.0)
    # the last is the 0 that took the place of 1
    return torch.cat([torch.ones_like(others[..., :1]), others[..., :-1]], dim=-1), rounding_floor(found)


def _sampled(
    affinity: Affinity, scaling: Tensor, stationary: Tensor, probes: int, steps: int, seed: int
) -> Eigenvalues:
    """Leading eigenvalues, and a quadrature by random signs beside their eigenvectors for the others."""
    count, scales = len(affinity), scaling.unsqueeze(1)

    def product(vectors: Tensor) -> Tensor:
        return affinity.product(vectors * scales) * scales

    generator = torch.Generator().manual_seed(seed)
    guess = torch.randn(count, DEFLATION - 1, generator=generator, dtype=torch.float64).to(scaling.device)
    start = torch.cat([stationary.unsqueeze(1), guess], dim=1)
    values, vectors = krylov_pairs(product, start, BLOCKS)
    signs = torch.randint(0, 2, (count, probes), generator=generator).double().to(scaling.device) * 2 - 1
    beside = signs - vectors @ (vectors.T @ signs)
    traces = _traces(affinity, scaling)
    history: list[float] = []
    for nodes, weights in lanczos_quadratures(product, beside, steps):
        known, between = values.clamp(0.0, 1.0), nodes.clamp(0.0, 1.0)
        found = Eigenvalues(count, known, between, weights, traces, least_power("lanczos", affinity.dtype))
        history.append(spectral_entropy(found))
        if _settled(history, spectral_entropy_error(found)):
            break
    return found


def _settled(history: list[float], error: float) -> bool:
    """Whether more steps would change the entropy by little against its standard error."""
    count = len(history)
    change = abs(history[-1] - history[int(0.8 * count) - 1])
    return count >= FEWEST_STEPS and change <= SETTLED * error


def _traces(affinity: Affinity, scaling: Tensor) -> tuple[float, float]:
    """Sums of all eigenvalues and of their squares."""
    squares, total = scaling.square(), 0.0
    for rows, columns, tile in affinity_tiles(affinity):
        part = float(squares[rows] @ (tile.square() @ squares[columns].to(tile.dtype)).double())
        total += part if rows == columns else 2 * part
    return float(squares.sum()), total
