"""All products of the columns of a matrix of rows with each other."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor

from layerscope.functional.blas_threads import one_thread

BLOCK = 4096  # rows whose products are summed in their own precision
SMALL = 128  # columns below which a product costs less than a second call


def gram(rows: Tensor) -> Tensor:
    r""":math:`R^\top R` (D, D) of rows R (n, D), float64; each block of rows in its own precision."""
    dim = rows.shape[1]
    rows = rows.detach() if rows.dtype == torch.float64 else rows.detach().float()
    total = torch.zeros(dim, dim, dtype=torch.float64, device=rows.device)
    with one_thread() if rows.device.type == "cpu" else nullcontext():
        for block in torch.split(rows, BLOCK):
            total += _products(block)
    return total


def add_products(total: Tensor, left: Tensor, right: Tensor) -> None:
    r"""Add a symmetric :math:`L^\top R` of rows (n, D) to a matrix (D, D), but for its lower left quarter.

    A quarter of the work is spared; :func:`mirrored` fills that quarter in the end.
    """
    half = _half(total)
    total[:half].add_(left[:, :half].T @ right)
    total[half:, half:].add_(left[:, half:].T @ right[:, half:])


def mirrored(total: Tensor) -> Tensor:
    """A symmetric matrix (D, D) that :func:`add_products` summed, its lower left quarter filled in place."""
    half = _half(total)
    total[half:, :half] = total[:half, half:].T
    return total


def _half(total: Tensor) -> int:
    """Where the matrix is divided; small ones are not."""
    return len(total) // 2 if len(total) >= SMALL else 0


def _products(block: Tensor) -> Tensor:
    if block.device.type != "cpu":
        return block.T @ block
    values = block.numpy()
    return torch.from_numpy(values.T @ values)  # numpy forms one half, and mirrors it
