"""The between-class geometry: which directions the class means span, and how far."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

EPS = torch.finfo(torch.float64).eps


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
        return torch.full(counts.shape, 1.0 / counts.numel(), dtype=torch.float64, device=counts.device)
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
    """
    means = means.double()
    anchor = means[:1].sum(dim=0)  # the first mean; what all means share cancels without rounding
    offsets = means - anchor
    step = offsets.mean(dim=0) if weights is None else weights.double() @ offsets
    return offsets - step, anchor + step


def rounding_floor(means: Tensor) -> float:
    """Length below which a centred mean is only rounding of the means (K, D)."""
    return 4 * EPS * _largest(means.double().norm(dim=1))


def between_basis(
    means: Tensor,
    weights: Tensor | None = None,
    *,
    center: Tensor | None = None,
    tolerance: float | None = None,
) -> BetweenBasis:
    r"""Directions spanned by the centred class means.

    At most K-1 singular values count, and only those that exceed :math:`s_1 \cdot \max(D, K) \cdot
    \epsilon_{64}` and the rounding that centring leaves of the means, :math:`4 \epsilon_{64} \max_c
    |\mu_c|`. The cut is made on the singular values of the means, not on the eigenvalues of
    :math:`\Sigma_b`: squaring would drop every direction below :math:`\sqrt{D\epsilon}\, s_1`, however
    real.

    Parameters
    ----------
    means : Tensor (K, D)
        Means of the classes that have samples.
    weights : Tensor (K,), optional
        Summing to 1; equal weights when omitted.
    center : Tensor (K,), optional
        Weights of the centre, when they are not ``weights``.
    tolerance : float, optional
        Relative threshold in place of :math:`\max(D, K) \epsilon_{64}`.
    """
    offsets, middle = centered(means, weights if center is None else center)
    if weights is None:
        scaled = offsets / max(len(means), 1) ** 0.5
    else:
        scaled = offsets * weights.double().sqrt().unsqueeze(1)
    _, values, directions = torch.linalg.svd(scaled, full_matrices=False)
    relative = max(scaled.shape) * EPS if tolerance is None else tolerance
    threshold = max(relative * _largest(values), rounding_floor(means))
    rank = min(int((values > threshold).sum()), max(len(means) - 1, 0))
    return BetweenBasis(directions[:rank].T.contiguous(), values[:rank], middle)


def _largest(values: Tensor) -> float:
    return float(values.max()) if values.numel() else 0.0
