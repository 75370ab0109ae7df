"""Singular-value spectra of weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.functional.gram import gram
from layerscope.functional.points import check_points
from layerscope.functional.symmetric import SMALL, eigenvectors

CLEAR = 1e-2  # relative size from which a singular value survives squaring with twelve digits


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a matrix, and its right singular vectors.

    Attributes
    ----------
    values : Tensor (m,), float64
        Descending; m = min(rows, columns).
    right : Tensor (columns, m), float64
        Orthonormal columns, in the order of ``values``; those of the smallest may be left out.
    """

    values: Tensor
    right: Tensor

    @property
    def relative(self) -> Tensor:
        """Values divided by their sum; NaN for a zero matrix."""
        return self.values / self.values.sum()

    def leading(self, vectors: int) -> Spectrum:
        """All values, and no more than so many vectors, in memory of their own."""
        return Spectrum(self.values, self.right[:, :vectors].clone())


def spectrum(matrix: Tensor) -> Spectrum:
    """Thin singular value decomposition in float64.

    The eigenvectors of the smaller Gram matrix give what is clear of rounding there; the rest, which squaring
    would drown, comes from a decomposition of the matrix within their complement. The absolute error is that
    of a direct decomposition, rounding of the largest value, at about half its time.

    Parameters
    ----------
    matrix : Tensor (rows, columns)

    Raises
    ------
    ValueError
        Not a matrix, or entries that are not finite.
    """
    if matrix.ndim != 2:
        raise ValueError(f"a spectrum is that of a matrix, not of a tensor of shape {tuple(matrix.shape)}")
    check_points(matrix, "matrix")
    return _spectrum(matrix.double())


def _spectrum(matrix: Tensor) -> Spectrum:
    if min(matrix.shape) < SMALL:
        _, values, rows = torch.linalg.svd(matrix, full_matrices=False)
        return Spectrum(values, rows.mT)
    if matrix.shape[0] < matrix.shape[1]:
        basis, triangle = torch.linalg.qr(matrix.mT)  # matrix = triangle.mT @ basis.mT
        inner = _spectrum(triangle.mT)
        return Spectrum(inner.values, basis @ inner.right)
    squares, vectors = eigenvectors(gram(matrix))
    squares, vectors = squares.flip(0), vectors.flip(1)  # descending
    clear = int((squares > CLEAR**2 * squares[:1]).sum())
    _, small, turn = torch.linalg.svd(matrix @ vectors[:, clear:], full_matrices=False)
    right = torch.cat([vectors[:, :clear], vectors[:, clear:] @ turn.mT], dim=1)
    return Spectrum(torch.cat([squares[:clear].sqrt(), small]), right)
