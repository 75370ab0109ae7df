"""The between-class geometry: which directions the class means span, and how far."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.functional.gram import gram
from layerscope.functional.spectra import spectrum

EPS = torch.finfo(torch.float64).eps
EVEN = 1e5  # condition number up to which an inverse in float64 keeps ten digits


@dataclass(frozen=True)
class BetweenBasis:
    r"""Thin singular value decomposition of the centred class means.

    With weights :math:`w_c` (summing to 1), centre :math:`\mu = \sum_c w_c \mu_c` and
    :math:`B = [\sqrt{w_c}(\mu_c - \mu)]_c = U S V^\top`, the between-class covariance is
    :math:`\Sigma_b = B B^\top = U S^2 U^\top`.

    Attributes
    ----------
    directions : Tensor (D, r), float64
        Orthonormal columns of U whose singular value counts as non-zero.
    singular_values : Tensor (r,), float64
        Their singular values, descending; :math:`S^2` are the eigenvalues of :math:`\Sigma_b`.
    center : Tensor (D,), float64
    """

    directions: Tensor
    singular_values: Tensor
    center: Tensor

    @property
    def rank(self) -> int:
        """Number of directions that the centred means span."""
        return self.singular_values.numel()


def class_weights(counts: Tensor, weighting: str) -> Tensor:
    """Weight of each present class, float64, summing to 1.

    Parameters
    ----------
    counts : Tensor (K,)
        Samples per class, all positive.
    weighting : "balanced" | "sample"
        Every class counts the same (``1/K``), or every sample does (``n_c/N``).
    """
    if weighting == "balanced":
        share = 1.0 / max(counts.numel(), 1)
        return torch.full(counts.shape, share, dtype=torch.float64, device=counts.device)
    if weighting == "sample":
        return counts.double() / counts.sum()
    raise ValueError(f"weighting must be 'balanced' or 'sample', not {weighting!r}")


def centered(means: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Class means minus their weighted mean, and that mean, both in float64.

    Equal means give exactly 0, however far from the origin they lie.

    Parameters
    ----------
    means : Tensor (K, D)
    weights : Tensor (K,), optional
        Summing to 1; equal weights when omitted.

    Raises
    ------
    ValueError
        Not one weight per mean, weights that do not sum to 1, or means that are not finite.
    """
    means = means.double()
    if weights is not None:
        check_weights(weights, len(means))
    anchor = means[:1].sum(dim=0)  # the first mean; what all means share cancels without rounding
    offsets = means - anchor
    step = offsets.mean(dim=0) if weights is None else weights.double() @ offsets
    if len(means) and not bool(step.isfinite().all()):
        bad = int((~means.isfinite().all(dim=1)).sum())
        raise ValueError(f"{bad} of {len(means)} class means are not finite")
    return offsets - step, anchor + step


def check_weights(weights: Tensor, classes: int) -> None:
    """Refuse what cannot be weights of classes, such as a global mean in their place.

    Raises
    ------
    ValueError
    """
    if weights.shape != (classes,):
        raise ValueError(f"{classes} class means need as many weights, not {tuple(weights.shape)}")
    total = float(weights.sum())
    if classes and not abs(total - 1) < 1e-5:
        raise ValueError(f"the weights of the classes must sum to 1, not {total:g}")


def rounding_floor(means: Tensor, precision: torch.dtype = torch.float64) -> float:
    r"""Length up to which a centred mean can be rounding of the means (K, D): :math:`4 ε \max_c |μ_c|`.

    With ε of float64 it is what centring leaves; with that of the features, what their own rounding leaves.
    """
    return 4 * torch.finfo(precision).eps * _largest(means.double().norm(dim=1))


def between_basis(
    means: Tensor,
    weights: Tensor | None = None,
    *,
    center: Tensor | None = None,
    global_mean: Tensor | None = None,
    tolerance: float | None = None,
) -> BetweenBasis:
    r"""Directions spanned by the centred class means.

    At most K-1 singular values count, and only those that exceed :math:`s_1 \cdot \max(D, K) \cdot
    \epsilon_{64}` and the rounding that centring leaves of the means, :math:`4 \epsilon_{64} \max_c
    |\mu_c|`. The cut is made on the singular values of the means, not on the eigenvalues of
    :math:`\Sigma_b`: squaring would drop every direction below :math:`\sqrt{D\epsilon}\, s_1`, however
    real. A ``global_mean`` outside the affine hull of the means, by more than its own rounding or that of
    float32, gives K of them.

    Parameters
    ----------
    means : Tensor (K, D)
        Means of the classes that have samples.
    weights : Tensor (K,), optional
        Summing to 1; equal weights when omitted.
    center : Tensor (K,), optional
        Weights of the centre, when they are not ``weights``.
    global_mean : Tensor (D,), optional
        The centre itself, in place of ``center``.
    tolerance : float, optional
        Relative threshold in place of :math:`\max(D, K) \epsilon_{64}`.

    Raises
    ------
    ValueError
        Weights that are not those of the classes, or a global mean of other features.
    """
    offsets, middle = _centered(means, weights if center is None else center, global_mean)
    found = spectrum(_scaled(offsets, weights))
    values = found.values
    relative = max(means.shape) * EPS if tolerance is None else tolerance
    threshold = max(relative * _largest(values), rounding_floor(means))
    rank = int((values > threshold).sum())
    if global_mean is None or not _is_outside(values, means, global_mean):
        rank = min(rank, max(len(means) - 1, 0))
    return BetweenBasis(found.right[:, :rank].contiguous(), values[:rank], middle)


def between_inverse(
    means: Tensor, weights: Tensor | None = None, *, global_mean: Tensor | None = None
) -> Tensor | None:
    r"""Inverse of :math:`\Sigma_b` (D, D), float64, where the means span all features beyond doubt.

    Takes a third of the time of :func:`between_basis`, which counts the directions. None where they have to
    be counted: no more classes than features, a condition number that may exceed 1e5, or directions that may
    be rounding.

    Parameters
    ----------
    means, weights, global_mean
        As of :func:`between_basis`.
    """
    offsets, _ = _centered(means, weights, global_mean)
    if len(means) <= means.shape[1]:
        return None
    covariance = gram(_scaled(offsets, weights))
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if bool(failed):
        return None
    inverse = torch.cholesky_inverse(factor)
    largest, smallest = float(covariance.norm()), 1 / float(inverse.norm())  # bounds of its eigenvalues
    if not largest <= EVEN * smallest or not smallest**0.5 > rounding_floor(means):
        return None
    return inverse


def _scaled(offsets: Tensor, weights: Tensor | None) -> Tensor:
    """Rows whose products are the between-class covariance."""
    if weights is None:
        return offsets / max(len(offsets), 1) ** 0.5
    return offsets * weights.double().sqrt().unsqueeze(1)


def _is_outside(values: Tensor, means: Tensor, center: Tensor) -> bool:
    """Whether the means about a given centre have a K-th direction that is no rounding of either."""
    if not 0 < len(means) <= len(values):
        return False
    coarsest = max((torch.float32, means.dtype, center.dtype), key=lambda dtype: torch.finfo(dtype).eps)
    return float(values[len(means) - 1]) > rounding_floor(means, coarsest)


def _centered(means: Tensor, weights: Tensor | None, middle: Tensor | None) -> tuple[Tensor, Tensor]:
    """Class means minus a centre that is given, or minus their weighted mean."""
    if middle is None:
        return centered(means, weights)
    if middle.shape != means.shape[1:]:
        raise ValueError(
            f"the global mean of means of {means.shape[1]} features is not {tuple(middle.shape)}; "
            "weights of classes go by their name, weights=..."
        )
    return means.double() - middle.double(), middle.double()


def _largest(values: Tensor) -> float:
    return float(values.max()) if values.numel() else 0.0
