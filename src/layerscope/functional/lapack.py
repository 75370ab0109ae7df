"""LAPACK's routines for symmetric tridiagonal matrices, called so that other threads work meanwhile.

scipy's own wrappers keep the interpreter, and with it every other thread of Python, until a routine returns;
calls through ctypes do not. The routines are the ones that scipy offers to compiled code
(``scipy.linalg.cython_lapack``). Matrices are float64, in Fortran's order.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def tridiagonalized(matrix: Array) -> tuple[Array, Array, Array]:
    r"""Reduce a symmetric matrix (n, n) to :math:`Q T Q^\top`, in its place (``dsytrd``).

    Returns the diagonal of T (n,), what is beside it (n - 1,), and the factors (n - 1,) of the reflections
    whose product Q is; their vectors replace what was below the matrix' diagonal.
    """
    size = len(matrix)
    diagonal, beside, factors = np.empty(size), np.empty(size - 1), np.empty(size - 1)
    _with_space("dsytrd", b"L", size, matrix, size, diagonal, beside, factors)
    return diagonal, beside, factors


def tridiagonal_values(diagonal: Array, beside: Array) -> Array:
    """All eigenvalues (n,) of a tridiagonal matrix, ascending (``dsterf``)."""
    values, work = diagonal.copy(), beside.copy()
    _call("dsterf", len(values), values, work)
    return values


def tridiagonal_vectors(diagonal: Array, beside: Array, first: int, last: int) -> Array:
    """Eigenvectors (n, last - first) of a tridiagonal matrix, of its ascending values' slice (``dstemr``)."""
    size, count = len(diagonal), last - first
    values, vectors = np.empty(size), np.empty((size, count), order="F")
    supports = np.empty(2 * count, dtype=np.intc)
    scaled, apart = diagonal.copy(), np.append(beside, 0.0)  # both are overwritten
    space, whole = np.empty(18 * size), np.empty(10 * size, dtype=np.intc)
    found, relative = ctypes.c_int(), ctypes.c_int(1)
    chosen = (0.0, 0.0, first + 1, last)
    out = (found, values, vectors, size, count, supports, relative)
    _call("dstemr", b"V", b"I", size, scaled, apart, *chosen, *out, space, len(space), whole, len(whole))
    return vectors


def turn(reflections: Array, factors: Array, vectors: Array) -> None:
    """Multiply Q, as :func:`tridiagonalized` left it, with vectors (n, m), in their place (``dormtr``)."""
    size, count = vectors.shape
    _with_space("dormtr", b"L", b"L", b"N", size, count, reflections, size, factors, vectors, size)


def load_routines() -> None:
    """Import scipy's linear algebra, so that limits of its threads that are set from now on hold."""
    _routine("dsytrd")


def _with_space(name: str, *arguments: Any) -> None:
    """Call a routine with as much working memory as it asks for."""
    asked = np.empty(1)
    _call(name, *arguments, asked, -1)
    space = np.empty(int(asked[0]))
    _call(name, *arguments, space, len(space))


def _call(name: str, *arguments: Any) -> None:
    """Call a routine, whose last argument says whether it succeeded.

    Raises
    ------
    numpy.linalg.LinAlgError
        It did not.
    """
    failed = ctypes.c_int()
    kept = [_pointed(each) for each in (*arguments, failed)]
    _routine(name)(*(pointer for pointer, _ in kept))
    if failed.value:
        raise np.linalg.LinAlgError(f"LAPACK's {name} fails with code {failed.value}")


def _pointed(argument: Any) -> tuple[Any, Any]:
    """What Fortran expects, the address of a value; and the value, which must live as long."""
    if isinstance(argument, np.ndarray):
        return ctypes.c_void_p(argument.ctypes.data), argument
    if isinstance(argument, bytes):
        return ctypes.c_char_p(argument), argument
    if isinstance(argument, int):
        argument = ctypes.c_int(argument)
    elif isinstance(argument, float):
        argument = ctypes.c_double(argument)
    return ctypes.byref(argument), argument


@cache
def _routine(name: str) -> Callable[..., None]:
    from scipy.linalg import cython_lapack  # slow to import

    capsule = cython_lapack.__pyx_capi__[name]
    kind = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", ctypes.pythonapi))
    address = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi)
    )
    return ctypes.CFUNCTYPE(None)(address(capsule, kind(capsule)))
