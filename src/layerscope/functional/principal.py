"""The leading principal components of a cloud of points."""

from __future__ import annotations

import torch
from torch import Tensor

from layerscope.functional.points import check_points
from layerscope.functional.symmetric import leading_eigenvectors


def principal_components(points: Tensor, count: int) -> Tensor:
    r"""Coordinates of points along their ``count`` directions of largest variance.

    :math:`U_m S_m` of the thin singular value decomposition :math:`X - \bar X = USV^\top`. Each coordinate's
    sign is such that its largest entry in size is positive.

    Parameters
    ----------
    points : Tensor (n, D)
    count : int
        m; no more than min(n - 1, D) are given.

    Returns
    -------
    Tensor (n, min(m, n - 1, D)), float64

    Raises
    ------
    ValueError
        Points that are not a finite matrix, or fewer than one component.
    """
    check_points(points)
    if count < 1:
        raise ValueError(f"at least one component is wanted, not {count}")
    offsets = points.double() - points.double().mean(dim=0)
    coordinates = offsets @ principal_axes(offsets, count)[1]
    return coordinates * orientation(coordinates)


def orientation(columns: Tensor) -> Tensor:
    """Signs (1, m) that make the largest entry in size of every column positive: axes have no own sign."""
    if not columns.numel():
        return columns.new_ones(1, columns.shape[1])
    largest = columns.gather(0, columns.abs().argmax(dim=0, keepdim=True))
    return torch.where(largest < 0, -1.0, 1.0).to(columns)


def principal_axes(offsets: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Leading singular values and right singular vectors of centred points (n, D) in float64.

    From the smaller of the two Gram matrices, which takes a fraction of the time of a decomposition of the
    points; directions in which they vary by less than a part in 10⁸ of the most are not told apart.

    Returns
    -------
    sizes : Tensor (m,)
        Descending; m = min(count, n - 1, D).
    axes : Tensor (D, m)
        Orthonormal, with signs that are left open.
    """
    kept = max(min(count, len(offsets) - 1, offsets.shape[1]), 0)
    if kept == 0:
        return offsets.new_zeros(0), offsets.T[:, :0]
    directions = _leading_directions(offsets, kept)
    _, sizes, right = torch.linalg.svd(offsets @ directions, full_matrices=False)
    return sizes, directions @ right.T


def _leading_directions(offsets: Tensor, kept: int) -> Tensor:
    """An orthonormal basis (D, m) of the directions of largest variance."""
    if offsets.shape[1] <= len(offsets):
        return leading_eigenvectors(offsets.T @ offsets, kept)
    samples = leading_eigenvectors(offsets @ offsets.T, kept)
    return torch.linalg.qr(offsets.T @ samples).Q
