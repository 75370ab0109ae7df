"""Memory for features that are kept between the sweeps."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def kept_memory(size: tuple[int, int], dtype: torch.dtype, device: torch.device) -> Tensor:
    """An unset matrix of so many rows and columns.

    On the CPU it is numpy's memory, which asks the system for huge pages: 1 GB of small ones takes half a
    second to be touched for the first time.
    """
    if device.type != "cpu":
        return torch.empty(size, dtype=dtype, device=device)
    return torch.from_numpy(np.empty(size, dtype=torch.empty(0, dtype=dtype).numpy().dtype))
