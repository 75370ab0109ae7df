"""Work on different layers, side by side on the threads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch

from layerscope.functional.blas_threads import one_thread

Work = Callable[[], None]


def side_by_side(works: Sequence[Work], workers: int) -> None:
    """Do what does not depend on each other, ``workers`` at a time, begun in the given order.

    Each has one thread of torch and of OpenBLAS: decompositions hardly gain from more, several of them at a
    time do. A single worker is the calling thread, with all threads of torch.

    Raises
    ------
    Exception
        What the first of them raised; those that were not begun are left out.
    """
    if min(workers, len(works)) <= 1:
        for work in works:
            work()
        return
    inference = torch.is_inference_mode_enabled()

    def alone(work: Work) -> None:
        with torch.inference_mode(inference), torch.set_grad_enabled(False):  # a thread's own
            work()

    with _single_threads(), ThreadPoolExecutor(workers) as pool:
        begun = [pool.submit(alone, work) for work in works]
        try:
            for each in begun:
                each.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _single_threads() -> Iterator[None]:
    """Let torch and OpenBLAS use one thread each in every thread that begins now."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_thread():
            yield
    finally:
        torch.set_num_threads(before)
