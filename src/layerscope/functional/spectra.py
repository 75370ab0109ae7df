"""Singular-value spectra of weights."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a matrix, and its right singular vectors.

    Attributes
    ----------
    values : Tensor (m,), float64
        Descending; m = min(rows, columns).
    right : Tensor (columns, m), float64
        Orthonormal columns, in the order of ``values``.
    """

    values: Tensor
    right: Tensor

    @property
    def relative(self) -> Tensor:
        """Values divided by their sum; NaN for a zero matrix."""
        return self.values / self.values.sum()


def spectrum(matrix: Tensor) -> Spectrum:
    """Thin singular value decomposition in float64.

    Parameters
    ----------
    matrix : Tensor (rows, columns)
    """
    _, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    return Spectrum(values, right.T)
