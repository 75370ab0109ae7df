"""Sums of squared lengths by class."""

from __future__ import annotations

import torch
from torch import Tensor

VALUES = 2**16  # lengths that wait at most


class ClassSquares:
    """Sums, in float64, of the squared lengths of rows by class.

    Lengths wait until there are many of them: on their own those of a batch would cost more calls than work.

    Parameters
    ----------
    num_classes : int
    device
        Where the state lives.
    """

    def __init__(self, num_classes: int, device: torch.device | str) -> None:
        self._totals = torch.zeros(num_classes, dtype=torch.float64, device=device)
        self._lengths: list[Tensor] = []
        self._labels: list[Tensor] = []
        self._waiting = 0

    @property
    def totals(self) -> Tensor:
        """The sums (K,)."""
        if self._waiting:
            squares = torch.cat(self._lengths).double().square()
            # One after the other, so that it makes no difference how many waited.
            self.replace(self._totals.index_add(0, torch.cat(self._labels), squares))
        return self._totals

    def add(self, lengths: Tensor, labels: Tensor) -> None:
        """Add rows of these lengths (B,) and labels (B,), both of which must stay as they are."""
        self._lengths.append(lengths)
        self._labels.append(labels)
        self._waiting += len(labels)
        if self._waiting > VALUES:
            _ = self.totals

    def replace(self, totals: Tensor) -> None:
        """Forget everything but these sums (K,), float64."""
        self._totals = totals
        self._lengths, self._labels, self._waiting = [], [], 0
