"""The simplex-encoded-labels interpolation: what takes the place of the ETF when classes are imbalanced."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.between import centered


def seli_grams(counts: Tensor) -> tuple[Tensor, Tensor]:
    r"""Gram matrices (K, K), up to scale, of the class means and of the classifier's rows under SELI.

    With :math:`J = I - \frac1K 11^\top`, D the class sizes on a diagonal and :math:`A = JDJ`: the
    simplex-encoded labels are Z = J Y, so that :math:`ZZ^\top = A`; rows have :math:`A^{1/2}`, means
    :math:`(A^+)^{1/2}`.

    References
    ----------
    Thrampoulidis, Kini, Vakilian, Behnia (2022), arXiv:2208.05512, definition 2.
    """
    classes = len(counts)
    centering = torch.eye(classes, dtype=torch.float64, device=counts.device) - 1 / classes
    values, vectors = torch.linalg.eigh(centering @ torch.diag(counts.double()) @ centering)
    roots, vectors = values[1:].sqrt(), vectors[:, 1:]  # the first one is 0, along (1, ..., 1)
    return vectors / roots @ vectors.T, vectors * roots @ vectors.T


def seli_error(vectors: Tensor, gram: Tensor) -> float:
    r""":math:`|G/|G|_F - G^*/|G^*|_F|_F`, G the Gram matrix of the centred vectors (K, D).

    In [0, √2]; for balanced classes it is the error from a simplex ETF. NaN when all vectors coincide, or
    with one class.
    """
    if len(vectors) < 2:
        return math.nan
    offsets, _ = centered(vectors)
    own = offsets @ offsets.T
    size = own.norm()
    return float((own / size - gram / gram.norm()).norm()) if size else math.nan
