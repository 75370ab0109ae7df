"""OpenBLAS leaves the cores to torch while it decomposes, and has its threads back afterwards."""

from __future__ import annotations

import threadpoolctl
import torch

from layerscope.functional.blas_threads import MANY, _libraries, one_thread, threads_for


def threads() -> list[int]:
    return [
        each["num_threads"] for each in threadpoolctl.threadpool_info() if each["internal_api"] == "openblas"
    ]


def test_one_thread_is_used_within_and_as_many_as_before_afterwards():
    _libraries.cache_clear()  # other tests load libraries of their own
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads()
        with one_thread():
            assert set(threads()) <= {1}
        assert threads() == before


def test_large_matrices_get_as_many_threads_as_torch_has():
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        with threads_for(MANY):
            assert set(threads()) <= {torch.get_num_threads()}
        with threads_for(MANY - 1):
            assert set(threads()) <= {1}
