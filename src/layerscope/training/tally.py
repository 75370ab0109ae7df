"""Losses and hits of one pass over the data, left on the device: no step waits for their values."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor


class Tally:
    """Collects one loss and one count of right decisions per batch; read it when the pass is over."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._losses: list[Tensor] = []
        self._hits: list[Tensor] = []

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Note a batch: its mean loss (scalar), logits (B, K) and labels (B,)."""
        self.sizes.append(len(labels))
        self._losses.append(loss.detach())
        self._hits.append((logits.detach().argmax(dim=1) == labels).sum())

    @cached_property
    def losses(self) -> Tensor:
        """Mean loss of each batch (float64, on the CPU); the first reading waits for the device."""
        return torch.stack(self._losses).cpu().double()

    @property
    def samples(self) -> int:
        """How many samples were seen."""
        return sum(self.sizes)

    @property
    def loss(self) -> float:
        """Mean loss over samples."""
        return float(self.losses @ torch.tensor(self.sizes, dtype=torch.float64)) / self.samples

    @property
    def accuracy(self) -> float:
        """Fraction of samples decided right, in [0, 1]."""
        return int(torch.stack(self._hits).sum()) / self.samples
