"""All products of the columns of a matrix of rows with each other."""

from __future__ import annotations

import math
from contextlib import nullcontext

import torch
from torch import Tensor

from layerscope.functional.blas_threads import one_thread

BLOCK = 4096  # rows whose products are summed in their own precision
STRIPS, NARROW = 4, 64  # parts in which a product is formed, and the columns of one from which that pays


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
    r"""Add a symmetric :math:`L^\top R` of rows (n, D) to a matrix (D, D), but for what its blocks leave out.

    Three eighths of the work are spared; :func:`mirrored` fills that part in the end.
    """
    for strip in _strips(total):
        rest = slice(strip.start, None)
        total[strip, rest].add_(left[:, strip].T @ right[:, rest])


def mirrored(total: Tensor) -> Tensor:
    """A symmetric matrix (D, D) that :func:`add_products` summed, what it left out filled in place."""
    for strip in _strips(total):
        total[strip.stop :, strip] = total[strip, strip.stop :].T
    return total


def _strips(total: Tensor) -> list[slice]:
    """Rows of the parts of a matrix; small ones are whole."""
    height = max(math.ceil(len(total) / STRIPS), NARROW)
    starts = range(0, len(total), height)
    return [slice(start, min(start + height, len(total))) for start in starts]


def _products(block: Tensor) -> Tensor:
    if block.device.type != "cpu":
        return block.T @ block
    values = block.numpy()
    return torch.from_numpy(values.T @ values)  # numpy forms one half, and mirrors it
