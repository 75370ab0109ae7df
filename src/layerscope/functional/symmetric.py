"""Eigenvalues and eigenvectors of a symmetric matrix, by whichever LAPACK is the faster one.

On the CPU that is numpy's or, for a part of them, scipy's: they take less time than torch's, and numpy's lets
other threads go on meanwhile.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from layerscope.functional.blas_threads import threads_for
from layerscope.functional.points import check_points

SMALL = 64  # rows below which a call costs more than the work


def eigenvalues(matrix: Tensor) -> Tensor:
    """Eigenvalues (n,) of a symmetric matrix (n, n) in float64, ascending.

    Raises
    ------
    ValueError, RuntimeError
        Entries that are not finite.
    """
    if matrix.device.type != "cpu" or len(matrix) < SMALL:
        return torch.linalg.eigvalsh(matrix.double())
    check_points(matrix, "matrix")
    with threads_for(len(matrix)):
        return torch.from_numpy(np.linalg.eigvalsh(matrix.detach().double().numpy()))


def eigenvectors(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`eigenvalues`, and orthonormal columns (n, n) in their order."""
    if matrix.device.type != "cpu" or len(matrix) < SMALL:
        values, vectors = torch.linalg.eigh(matrix.double())
        return values, vectors
    check_points(matrix, "matrix")
    with threads_for(len(matrix)):
        first, second = np.linalg.eigh(matrix.detach().double().numpy())
    return torch.from_numpy(first), torch.from_numpy(second)


def leading_eigenvectors(matrix: Tensor, count: int) -> Tensor:
    """Orthonormal columns (n, count) of the largest eigenvalues, ascending; float64."""
    if matrix.device.type != "cpu" or len(matrix) < SMALL:
        return torch.linalg.eigh(matrix.double()).eigenvectors[:, -count:]
    from scipy.linalg import eigh  # slow to import

    last = len(matrix) - 1
    with threads_for(len(matrix)):
        found = eigh(matrix.detach().double().numpy(), subset_by_index=[last - count + 1, last])
    return torch.from_numpy(found[1])


def stacked_eigenvalues(matrices: Tensor) -> Tensor:
    """Eigenvalues (…, n), ascending, of symmetric matrices (…, n, n), in the precision of these."""
    size = matrices.shape[-1]
    if matrices.device.type != "cpu" or size < SMALL:
        return torch.linalg.eigvalsh(matrices)
    from scipy.linalg import eigh  # slow to import

    each = matrices.detach().reshape(-1, size, size).numpy()
    with threads_for(size):
        found = [torch.from_numpy(eigh(matrix, eigvals_only=True, driver="ev")) for matrix in each]
    return torch.stack(found).reshape(matrices.shape[:-1])
