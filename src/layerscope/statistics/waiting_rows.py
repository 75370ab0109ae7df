"""Rows of small batches, written one after the other until there are enough of them for fast work."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

VALUES = 2**20  # that wait at most: products of fewer rows spend their time on reading and adding the result
ENOUGH = 1024  # rows, of those that are kept, from which sums are formed at full speed


class WaitingRows:
    """Rows, each with its label, that were written and not yet taken.

    Attributes
    ----------
    memory : Tensor (n, …)
        Where the rows are written.
    keeps : bool
        Whether rows stay there when they are taken, the next ones behind them.
    """

    def __init__(self, memory: Tensor, *, keeps: bool) -> None:
        self.memory, self.keeps = memory, keeps
        self._begin = self._end = 0
        self._room = memory.shape[0]  # ten times faster than len(), which every batch asks for many times
        # Not a tensor for every batch: those that live on between large ones would tear the heap to pieces.
        self._labels = torch.empty(self._room, dtype=torch.int64, device=memory.device)

    @classmethod
    def of_own(cls, dim: int, device: torch.device | str) -> WaitingRows:
        """Rows of ``dim`` numbers in float32, in memory that is used again and again."""
        return cls(torch.empty(max(VALUES // max(dim, 1), 1), dim, device=device), keeps=False)

    def __len__(self) -> int:
        return self._end - self._begin

    @property
    def kept(self) -> Tensor:
        """All rows (m, D) that were written, where they are kept."""
        return self.memory[: self._end]

    @property
    def are_many(self) -> bool:
        """Whether there are enough of them; rows that are not kept wait until there is no room."""
        return self.keeps and len(self) >= ENOUGH

    def could_hold(self, count: int, dtype: torch.dtype) -> bool:
        """Whether so many rows could be written here if no others waited."""
        return self._room >= count and (self.keeps or dtype == self.memory.dtype)

    def has_room(self, count: int) -> bool:
        """Whether they can be, beside those that wait."""
        return self._end + count <= self._room

    def gains(self, count: int) -> bool:
        """Whether so many more rows had better wait than be added on their own."""
        return not self.keeps or len(self) > 0 or count < ENOUGH

    def place(self, count: int, dtype: torch.dtype, settle: Callable[[], object]) -> Tensor | None:
        """Where to write the next rows, once ``settle`` took those that wait if it must; None if nowhere."""
        if not self.could_hold(count, dtype):
            return None
        if not self.has_room(count):
            settle()
        return self.next(count) if self.has_room(count) else None

    def next(self, count: int) -> Tensor:
        """Where to write the next rows (count, D)."""
        return self.memory[self._end : self._end + count]

    def put(self, labels: Tensor) -> None:
        """Let the rows that were just written wait, with these labels."""
        first, count = self._end - self._begin, labels.shape[0]
        self._labels[first : first + count] = labels
        self._end += count

    def skip(self, count: int) -> None:
        """Let none wait of the rows that were just written, when no others do: they are kept, or given up."""
        self._end += count if self.keeps else 0
        self._begin = self._end

    def take(self) -> tuple[Tensor, Tensor]:
        """The rows that wait and their labels (m,), until others are written in their place."""
        rows, labels = self.memory[self._begin : self._end], self._labels[: len(self)]
        self._end = self._end if self.keeps else 0
        self._begin = self._end
        return rows, labels
