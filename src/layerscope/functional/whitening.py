"""Linear maps that take the correlations out of features, and put them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Whitening = Literal["zca", "pca", "cholesky"]


@dataclass(frozen=True, eq=False)
class WhiteningMap:
    r"""White coordinates :math:`z = (h - \mu) W`, and colouring :math:`h = z W^{+} + \mu`.

    Attributes
    ----------
    mean : Tensor (D,)
    matrix : Tensor (D, r)
    inverse : Tensor (r, D)
    """

    mean: Tensor
    matrix: Tensor
    inverse: Tensor

    def __call__(self, points: Tensor) -> Tensor:
        """White coordinates (N, r) of features (N, D), float64."""
        return (points.double() - self.mean) @ self.matrix

    def color(self, white: Tensor) -> Tensor:
        """Features (N, D) of white coordinates (N, r), float64."""
        return white.double() @ self.inverse + self.mean


def whitening(
    points: Tensor, method: Whitening = "zca", *, ridge: float = 0.0, components: int | None = None
) -> WhiteningMap:
    r"""The map under which the biased covariance Σ of points (N, D) becomes the identity.

    With Σ = V Λ Vᵀ: ``pca`` :math:`W = V\Lambda^{-1/2}`, largest variances first; ``zca`` :math:`W =
    V\Lambda^{-1/2}V^\top`, which changes the features least; ``cholesky`` :math:`W = L^{-\top}`, Σ = L Lᵀ.
    Directions without variance are left out of ``pca`` and map to 0 under ``zca``.

    Parameters
    ----------
    points : Tensor (N, D)
    ridge : float
        Added to the variances, as a share of their mean: directions of little variance are then not blown up.
    components : int, optional
        At most so many directions, those of the largest variances; not for ``cholesky``.

    Raises
    ------
    ValueError
        An unknown method, no two samples, or, for ``cholesky``, a singular covariance.

    References
    ----------
    Kessy, Lewin, Strimmer (2018), Optimal whitening and decorrelation, arXiv:1512.00809.
    """
    if method not in ("zca", "pca", "cholesky"):
        raise ValueError(f"whitening is 'zca', 'pca' or 'cholesky', not {method!r}")
    if points.ndim != 2 or len(points) < 2:
        raise ValueError(f"points must be (N, D) with at least two samples, not {tuple(points.shape)}")
    mean = points.double().mean(dim=0)
    offsets = points.double() - mean
    if method == "cholesky":
        return _cholesky(mean, offsets.T @ offsets / len(offsets), ridge)
    _, sizes, right = torch.linalg.svd(offsets, full_matrices=False)
    rank = int((sizes > sizes[0] * max(points.shape) * torch.finfo(torch.float64).eps).sum())
    kept = rank if components is None else min(rank, components)
    variances = sizes.square() / len(points)
    deviations = (variances[:kept] + ridge * variances.sum() / points.shape[1]).sqrt()
    directions = right[:kept].T
    if method == "pca":
        return WhiteningMap(mean, directions / deviations, (directions * deviations).T)
    return WhiteningMap(mean, directions / deviations @ directions.T, directions * deviations @ directions.T)


def _cholesky(mean: Tensor, covariance: Tensor, ridge: float) -> WhiteningMap:
    eye = torch.eye(len(covariance)).to(covariance)
    factor, failed = torch.linalg.cholesky_ex(covariance + ridge * covariance.diagonal().mean() * eye)
    if int(failed):
        raise ValueError(
            "the covariance is singular: give a ridge, fewer features than samples, or take 'pca' or 'zca'"
        )
    return WhiteningMap(mean, torch.linalg.solve_triangular(factor, eye, upper=False).T, factor.T)
