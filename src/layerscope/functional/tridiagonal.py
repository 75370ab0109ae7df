"""All eigenvalues of a symmetric matrix, and the vectors of a few of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerscope.functional.blas_threads import threads_for


@dataclass(frozen=True)
class Tridiagonal:
    r"""A symmetric matrix as :math:`Q T Q^\top`, with T tridiagonal and Q a product of reflections.

    From it all eigenvalues take a fifth, and each of the vectors that are wanted a hundredth, of the time of
    a whole decomposition of 512 rows. LAPACK's routines are called through scipy, which lets no other thread
    of Python work meanwhile: not for matrices that take seconds.

    Attributes
    ----------
    values : Tensor (n,), float64
        Eigenvalues, ascending.
    """

    values: Tensor
    _reflections: Any
    _factors: Any
    _diagonal: Any
    _beside: Any

    @classmethod
    def of(cls, matrix: Tensor) -> Tridiagonal:
        """Reduce a symmetric matrix (n, n), n > 1, in float64 and on the CPU.

        Raises
        ------
        ValueError
            Entries that are not finite.
        """
        from scipy.linalg import eigvalsh_tridiagonal, lapack  # slow to import

        values = np.array(matrix.detach().double().numpy(), order="F")
        with threads_for(len(values)):
            space, _ = lapack.dsytrd_lwork(len(values), lower=1)
            reflections, diagonal, beside, factors, _ = lapack.dsytrd(
                values, lower=1, lwork=int(space), overwrite_a=1
            )
            found = eigvalsh_tridiagonal(diagonal, beside)
        return cls(torch.from_numpy(found), reflections, factors, diagonal, beside)

    def vectors(self, first: int, last: int) -> Tensor:
        """Orthonormal eigenvectors (n, last - first) of ``values[first:last]``, in their order.

        Raises
        ------
        numpy.linalg.LinAlgError
            The iteration fails.
        """
        from scipy.linalg import eigh_tridiagonal, lapack

        size = len(self.values)
        if first == last:
            return torch.empty(size, 0, dtype=torch.float64)
        with threads_for(size):
            chosen = {"select": "i", "select_range": (first, last - 1), "lapack_driver": "stemr"}
            _, inner = eigh_tridiagonal(self._diagonal, self._beside, **chosen)
            below = np.asfortranarray(self._reflections[1:, :-1])  # the first row is not reflected
            turned = np.asfortranarray(inner[1:])
            _, space, _ = lapack.dormqr("L", "N", below, self._factors, turned, -1)
            inner[1:], _, _ = lapack.dormqr("L", "N", below, self._factors, turned, int(space[0]))
        return torch.from_numpy(inner)
