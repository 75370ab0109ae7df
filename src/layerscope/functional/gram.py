"""All products of the columns of a matrix of rows with each other."""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor

from layerscope.functional.blas_threads import one_thread

BLOCK = 4096  # rows whose products are summed in their own precision


def gram(rows: Tensor) -> Tensor:
    r""":math:`R^\top R` (D, D) of rows R (n, D), float64; each block of rows in its own precision."""
    dim = rows.shape[1]
    rows = rows.detach() if rows.dtype == torch.float64 else rows.detach().float()
    total = torch.zeros(dim, dim, dtype=torch.float64, device=rows.device)
    with one_thread() if rows.device.type == "cpu" else nullcontext():
        for block in torch.split(rows, BLOCK):
            total += _products(block)
    return total


def _products(block: Tensor) -> Tensor:
    if block.device.type != "cpu":
        return block.T @ block
    values = block.numpy()
    return torch.from_numpy(values.T @ values)  # numpy forms one half, and mirrors it
