"""NC3 inside the network: do the class means lie where the next weights look?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.between import centered, rounding_floor
from layerscope.functional.spectra import spectrum


def numerical_rank(values: Tensor, shape: Sequence[int]) -> int:
    """Number of singular values above ``max(shape) * eps64`` times the largest one.

    Parameters
    ----------
    values : Tensor (m,)
        Singular values, descending.
    shape : sequence of int
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


def class_alignment(
    weight: Tensor,
    means: Tensor,
    weights: Tensor | None = None,
    *,
    convention: Literal["centered", "inc"] = "centered",
) -> tuple[float, int]:
    r"""Mean cosine between the leading directions that a weight reads and the span of the class means.

    Parameters
    ----------
    weight : Tensor (out, D)
    means : Tensor (K, D)
        At the input of the weight.
    weights : Tensor (K,), optional
        Class weights of the centre; equal when omitted.
    convention : "centered" | "inc"
        ``centered``: centred means and r = min(K-1, rank W, rank M), which gives 1 for a self-dual ETF.
        ``inc``: means as they are and r = K, as in the code of Rangamani et al.; of a self-dual ETF the
        K-th direction is arbitrary, so its value lies near (K-1)/K. Missing directions (K > D) count as 0.

    Returns
    -------
    value : float
        In [0, 1]; NaN when nothing is spanned.
    rank : int
        r.

    Raises
    ------
    ValueError
        The weight reads another number of features than the means have, or an unknown convention.
    """
    if weight.shape[1:] != means.shape[1:]:
        raise ValueError(f"a weight of {weight.shape[1]} features cannot read means of {means.shape[1]}")
    if convention not in ("centered", "inc"):
        raise ValueError(f"convention must be 'centered' or 'inc', not {convention!r}")
    columns = means.double() if convention == "inc" else centered(means, weights)[0]
    first, second = spectrum(weight), spectrum(columns)
    rank = len(means)
    if convention == "centered":
        floor = math.sqrt(len(means)) * rounding_floor(means) if len(means) else 0.0
        seen = int((second.values > floor).sum())
        ranks = numerical_rank(first.values, weight.shape), numerical_rank(second.values, columns.shape)
        rank = min(max(len(means) - 1, 0), seen, *ranks)
    return top_alignment(first.right, second.right, rank), rank


def top_alignment(first: Tensor, second: Tensor, rank: int) -> float:
    """Mean cosine of ``rank`` principal angles between leading columns; missing directions count as 0.

    Parameters
    ----------
    first, second : Tensor (D, m)
        Orthonormal columns, leading ones first.
    rank : int
    """
    cosines = subspace_angles(first[:, :rank], second[:, :rank])
    return float(cosines.sum()) / rank if rank else math.nan
