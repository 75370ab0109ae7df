"""What the network itself decides: exact confusion counts and the mean loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Decisions:
    """Confusion counts of the network's arg-max decisions, and the sum of its losses.

    Parameters
    ----------
    num_classes : int
    device
        Where the state lives.

    Attributes
    ----------
    confusion : Tensor (K, K), int64
        ``confusion[label, decision]``.
    """

    def __init__(self, num_classes: int, *, device: torch.device | str = "cpu") -> None:
        self.num_classes = num_classes
        self.confusion = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
        self._loss = torch.zeros((), dtype=torch.float64, device=device)

    def update(self, logits: Tensor, labels: Tensor, mean_loss: Tensor | None = None) -> Tensor:
        """Add a batch, and return its decisions (B,).

        Parameters
        ----------
        logits : Tensor (B, K)
            The real ones, bias included. Ties go to the lowest class.
        labels : Tensor (B,)
        mean_loss : Tensor (), optional
            Mean loss of this batch.

        Raises
        ------
        ValueError
            Not K logits per sample, or a label outside 0 … K-1. The state is then unchanged.
        """
        if logits.shape != (len(labels), self.num_classes):
            raise ValueError(f"logits must be ({len(labels)}, {self.num_classes}), not {tuple(logits.shape)}")
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.num_classes:
            raise ValueError(
                f"labels must lie in 0 … {self.num_classes - 1}, "
                f"found {int(labels.min())} … {int(labels.max())}"
            )
        decisions = logits.argmax(dim=1)
        cells = torch.bincount(labels.long() * self.num_classes + decisions, minlength=self.num_classes**2)
        self.confusion += cells.view(self.num_classes, self.num_classes)
        if mean_loss is not None:
            self._loss += mean_loss.double() * len(labels)
        return decisions

    def merge(self, other: Decisions) -> Decisions:
        """Add what another accumulator saw; returns self."""
        if other.num_classes != self.num_classes:
            raise ValueError(f"cannot merge decisions of {other.num_classes} classes into {self.num_classes}")
        self.confusion += other.confusion
        self._loss += other._loss
        return self

    @property
    def samples(self) -> int:
        """Number of samples seen."""
        return int(self.confusion.sum())

    @property
    def classes(self) -> int:
        """Number of classes that have samples."""
        return int((self.confusion.sum(dim=1) > 0).sum())

    @property
    def accuracy(self) -> float:
        """Share of samples whose decision is their label; NaN without samples."""
        return int(self.confusion.diagonal().sum()) / self.samples if self.samples else math.nan

    @property
    def loss(self) -> float:
        """Mean loss over samples; NaN without samples."""
        return float(self._loss) / self.samples if self.samples else math.nan
