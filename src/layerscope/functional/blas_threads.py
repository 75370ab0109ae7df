"""The threads of numpy's and scipy's linear algebra, which compete with those of torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenBLAS work with one thread: torch's wait for their next task at full speed.

    On two cores a measurement pass of an MLP takes a third less time so.
    """
    with _libraries().limit(limits=1):
        yield


@cache
def _libraries() -> Any:
    """Every OpenBLAS of this process: scipy brings one of its own, beside numpy's."""
    import scipy.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(internal_api="openblas")
