"""The threads of numpy's linear algebra, which compete with those of torch."""

from __future__ import annotations

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
    with _libraries().limit(limits=1):
        yield


@contextmanager
def threads_for(rows: int) -> Iterator[None]:
    """Let OpenBLAS decompose matrices of so many rows: large ones with as many threads as torch has.

    On two cores that halves the time of 2,000 rows; for 500 rows torch's waiting threads would cost more.
    """
    with _libraries().limit(limits=torch.get_num_threads() if rows >= MANY else 1):
        yield


@cache
def _libraries() -> Any:
    """Every OpenBLAS that is there when it is first asked for, numpy's among them."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(internal_api="openblas")
