"""Sums of squared lengths by class."""

from __future__ import annotations

import torch
from torch import Tensor

from layerscope.statistics.waiting_rows import WaitingRows

ROOM = 4096  # lengths that wait at most


class ClassSquares:
    """Sums, in float64, of the squared lengths of rows by class.

    Lengths wait until there are many of them: on their own those of a batch would cost more calls than work.

    Parameters
    ----------
    num_classes : int
    dtype, device
        Of the lengths; where the state lives.
    """

    def __init__(self, num_classes: int, dtype: torch.dtype, device: torch.device | str) -> None:
        self._totals = torch.zeros(num_classes, dtype=torch.float64, device=device)
        self._waiting = WaitingRows(torch.empty(ROOM, dtype=dtype, device=device), keeps=False)

    @property
    def totals(self) -> Tensor:
        """The sums (K,)."""
        if len(self._waiting):
            self._settle()
        return self._totals

    def place(self, count: int, dtype: torch.dtype) -> Tensor | None:
        """Where to write so many lengths that are to wait; None for those that cannot."""
        return self._waiting.place(count, dtype, self._settle)

    def wait(self, labels: Tensor) -> None:
        """Add the lengths that were just written, with these labels (B,), together with later ones."""
        self._waiting.put(labels)

    def add(self, lengths: Tensor, labels: Tensor) -> None:
        """Add lengths (B,) at once."""
        # One after the other, so that it makes no difference how many waited.
        self._totals.index_add_(0, labels, lengths.double().square())

    def replace(self, totals: Tensor) -> None:
        """Forget everything but these sums (K,), float64."""
        self._waiting.take()
        self._totals = totals

    def _settle(self) -> None:
        self.add(*self._waiting.take())
