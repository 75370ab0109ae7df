"""The threads of numpy's linear algebra, which compete with those of torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

MANY = 1000  # rows from which the eigenvalues of a matrix keep several threads busy


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenBLAS work with one thread: torch's wait for their next task at full speed.

    On two cores a measurement pass of an MLP takes a third less time so. The limit is one of the whole
    process: threads that enter while another is within, such as those that it began, change nothing.
    """
    with _libraries(_scipy_is_here()).limit(limits=1):
        yield


@contextmanager
def threads_for(rows: int) -> Iterator[None]:
    """Let OpenBLAS decompose matrices of so many rows: large ones with as many threads as torch has.

    On two cores that halves the time of 2,000 rows; for 500 rows torch's waiting threads would cost more.
    """
    with _libraries(_scipy_is_here()).limit(limits=torch.get_num_threads() if rows >= MANY else 1):
        yield


def _scipy_is_here() -> bool:
    return "scipy.linalg" in sys.modules


@cache
def _libraries(with_scipy: bool) -> Any:
    """Every OpenBLAS: numpy's, and scipy's own once it was imported."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(internal_api="openblas")
