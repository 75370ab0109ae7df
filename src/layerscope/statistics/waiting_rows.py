"""Rows of small batches, kept until there are enough of them for a product at full speed."""

from __future__ import annotations

import torch
from torch import Tensor

VALUES = 2**20  # that wait at most: products of fewer rows spend their time on reading and adding the result


class WaitingRows:
    """Up to ``VALUES`` numbers of float32, row by row.

    Parameters
    ----------
    dim : int
        Numbers in a row.
    device
    """

    def __init__(self, dim: int, device: torch.device | str) -> None:
        self._rows = torch.empty(max(VALUES // max(dim, 1), 1), dim, device=device)
        self._count = 0

    def has_room(self, count: int) -> bool:
        """Whether so many rows could wait here, beside those that do."""
        return self._count + count <= len(self._rows)

    def could_hold(self, rows: Tensor) -> bool:
        """Whether these rows (n, D) could wait here if no others did."""
        return rows.dtype == self._rows.dtype and len(rows) <= len(self._rows)

    def put(self, rows: Tensor) -> None:
        """Copy rows (n, D) that there is room for."""
        self._rows[self._count : self._count + len(rows)] = rows
        self._count += len(rows)

    def take(self) -> Tensor:
        """The rows that wait (n, D), until others are put in their place."""
        rows = self._rows[: self._count]
        self._count = 0
        return rows
