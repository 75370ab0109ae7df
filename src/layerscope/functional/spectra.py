"""Singular-value spectra of weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from layerscope.functional.gram import gram
from layerscope.functional.points import check_points
from layerscope.functional.symmetric import SMALL, eigenvectors
from layerscope.functional.tridiagonal import Tridiagonal

FEW = 0.25  # share of the singular vectors up to which they are computed one by one
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


def spectrum(matrix: Tensor, *, vectors: int | None = None) -> Spectrum:
    """Thin singular value decomposition in float64.

    The eigenvectors of the smaller Gram matrix give what is clear of rounding there; the rest, which squaring
    would drown, comes from a decomposition of the matrix within their complement. The absolute error is that
    of a direct decomposition, rounding of the largest value, at about half its time.

    Parameters
    ----------
    matrix : Tensor (rows, columns)
    vectors : int, optional
        How many right singular vectors are wanted, at most; all when omitted.

    Raises
    ------
    ValueError
        Not a matrix, or entries that are not finite.
    """
    if matrix.ndim != 2:
        raise ValueError(f"a spectrum is that of a matrix, not of a tensor of shape {tuple(matrix.shape)}")
    check_points(matrix, "matrix")
    found = _spectrum(matrix.double(), min(matrix.shape) if vectors is None else vectors)
    if vectors is None or vectors >= len(found.values):
        return found
    return Spectrum(found.values, found.right[:, :vectors].clone())  # what is left out is not kept


def _spectrum(matrix: Tensor, vectors: int) -> Spectrum:
    """All values, and at least so many vectors."""
    if min(matrix.shape) < SMALL:
        _, values, rows = torch.linalg.svd(matrix, full_matrices=False)
        return Spectrum(values, rows.mT)
    if matrix.shape[0] < matrix.shape[1]:
        return _wide(matrix, vectors)
    products = gram(matrix)
    found = _few(matrix, products, vectors)
    if found is not None:
        return found
    squares, directions = eigenvectors(products)
    squares, directions = squares.flip(0), directions.flip(1)  # descending
    clear = _clear(squares)
    small, rest = _within(matrix, directions[:, clear:])
    return Spectrum(
        torch.cat([squares[:clear].sqrt(), small]), torch.cat([directions[:, :clear], rest], dim=1)
    )


def _few(matrix: Tensor, products: Tensor, vectors: int) -> Spectrum | None:
    """All values of a matrix with such products, and no more vectors than that; None if these are not few."""
    size = len(products)
    if products.device.type != "cpu" or vectors > size * FEW:
        return None
    reduced = Tridiagonal.of(products)
    squares = reduced.values.flip(0)
    clear = _clear(squares)
    if vectors + size - clear > size * FEW or vectors > clear:
        return None
    try:
        leading, last = reduced.vectors(size - vectors, size), reduced.vectors(0, size - clear)
    except np.linalg.LinAlgError:  # which the whole decomposition does not know
        return None
    small, _ = _within(matrix, last)
    return Spectrum(torch.cat([squares[:clear].sqrt(), small]), leading.flip(1))


def _clear(squares: Tensor) -> int:
    """How many of the descending squares of singular values are clear of rounding."""
    return int((squares > CLEAR**2 * squares[:1]).sum())


def _within(matrix: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values and right vectors of a matrix within orthonormal directions (columns, r)."""
    _, values, turn = torch.linalg.svd(matrix @ directions, full_matrices=False)
    return values, directions @ turn.mT


def _wide(matrix: Tensor, vectors: int) -> Spectrum:
    """Of a matrix with fewer rows than columns."""
    left = _spectrum(matrix.mT, vectors)
    if bool((left.values[:vectors] > CLEAR * left.values[0]).all()):  # the others would not be orthonormal
        thin = left.right[:, :vectors] / left.values[:vectors]
        return Spectrum(left.values, (thin.mT @ matrix).mT)  # by rows: 20 times faster than by columns
    basis, triangle = torch.linalg.qr(matrix.mT)  # matrix = triangle.mT @ basis.mT
    inner = _spectrum(triangle.mT, vectors)
    return Spectrum(inner.values, basis @ inner.right)
