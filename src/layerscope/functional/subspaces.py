"""NC3 inside the network: do the class means lie where the next weights look?"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def numerical_rank(values: Tensor, shape: tuple[int, int]) -> int:
    """Number of singular values above ``max(shape) * eps64`` times the largest one.

    Parameters
    ----------
    values : Tensor (m,)
        Singular values, descending.
    shape : tuple
        Shape of the matrix that they belong to.
    """
    if values.numel() == 0:
        return 0
    return int((values > values[0] * max(shape) * torch.finfo(torch.float64).eps).sum())


def subspace_angles(first: Tensor, second: Tensor) -> Tensor:
    """Cosines of the principal angles between two subspaces, descending, in [0, 1].

    Parameters
    ----------
    first : Tensor (D, r)
        Orthonormal columns.
    second : Tensor (D, q)
        Orthonormal columns.

    References
    ----------
    Björck, Golub (1973), Numerical methods for computing angles between linear subspaces.
    """
    return torch.linalg.svdvals(first.double().T @ second.double()).clamp(0.0, 1.0)


def mean_subspace_cosine(first: Tensor, second: Tensor) -> float:
    r"""Mean cosine of the principal angles, :math:`\frac1r \sum_j \sigma_j(V_r^\top U_r)`.

    Parameters
    ----------
    first, second : Tensor (D, r)
        Orthonormal columns.

    Returns
    -------
    float
        In [0, 1]: 1 for equal subspaces, 0 for orthogonal ones; NaN for r = 0.

    References
    ----------
    Rangamani, Lindegaard, Galanti, Poggio (2023), Feature learning in deep classifiers through intermediate
    neural collapse, ICML (PMLR 202).
    """
    cosines = subspace_angles(first, second)
    return float(cosines.mean()) if cosines.numel() else math.nan
