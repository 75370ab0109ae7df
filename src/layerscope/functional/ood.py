"""NC5: features of other data against the class means."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def ood_orthogonality(means: Tensor, ood_mean: Tensor) -> float:
    r"""Mean over classes of :math:`|\cos(\mu_c, \mu_{ood})|`, with class means as they are, NOT centred.

    Parameters
    ----------
    means : Tensor (K, D)
    ood_mean : Tensor (D,)
        Mean of all out-of-distribution features; their labels are not used.

    Returns
    -------
    float
        In [0, 1]: 0 when orthogonal, 1 when parallel. Unchanged by rotations and scalings, but NOT by shifts.
        NaN without classes, or when a mean is zero.

    Raises
    ------
    ValueError
        The means have different numbers of features.

    References
    ----------
    Ammar et al. (2023), NECO, arXiv:2310.06823.
    """
    if means.shape[1:] != ood_mean.shape:
        raise ValueError(f"means of {means.shape[1]} features cannot be compared with one of {len(ood_mean)}")
    lengths = torch.linalg.vector_norm(means.double(), dim=1)
    length = torch.linalg.vector_norm(ood_mean.double())
    if len(means) == 0 or not (lengths > 0).all() or not length > 0:
        return math.nan
    cosines = (means.double() @ ood_mean.double()) / lengths / length
    return float(cosines.abs().clamp(max=1.0).mean())
