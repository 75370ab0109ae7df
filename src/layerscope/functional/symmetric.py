"""Eigenvalues and eigenvectors of a symmetric matrix, by whichever LAPACK is the faster one.

On the CPU that is scipy's, which takes about half the time of torch's for eigenvalues.
"""

from __future__ import annotations

import torch
from torch import Tensor

from layerscope.functional.blas_threads import one_thread

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
    from scipy.linalg import eigh  # slow to import

    with one_thread():
        return torch.from_numpy(eigh(matrix.detach().double().numpy(), eigvals_only=True, driver="evd"))


def eigenvectors(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`eigenvalues`, and orthonormal columns (n, n) in their order."""
    if matrix.device.type != "cpu" or len(matrix) < SMALL:
        values, vectors = torch.linalg.eigh(matrix.double())
        return values, vectors
    from scipy.linalg import eigh  # slow to import

    with one_thread():
        first, second = eigh(matrix.detach().double().numpy(), driver="evd")
    return torch.from_numpy(first), torch.from_numpy(second)
