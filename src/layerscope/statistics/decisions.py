"""What the network itself decides: exact counts and the mean loss."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from layerscope.statistics.label_groups import LabelGroups, label_groups
from layerscope.statistics.row_maxima import row_argmax
from layerscope.statistics.waiting_rows import WaitingRows

ROOM = 4096  # samples that wait at most until they are counted in the confusion table
CONFUSION_CLASSES = 4096  # beyond it the K×K confusion counts are not kept


class Decisions:
    """Counts of the network's arg-max decisions, and the sum of its losses.

    Parameters
    ----------
    num_classes : int
    confusion : bool, optional
        Whether to keep the K×K confusion counts; by default up to 4096 classes.
    device
        Where the state lives.

    Attributes
    ----------
    confusion : Tensor (K, K), int64, optional
        ``confusion[label, decision]``.
    counts, correct, decided : Tensor (K,), int64
        Samples of each class; those of them decided right; samples that each class was decided for.
    priced : int
        Samples that came with a loss.
    """

    def __init__(
        self, num_classes: int, *, confusion: bool | None = None, device: torch.device | str = "cpu"
    ) -> None:
        self.num_classes = num_classes
        self._table: Tensor | None = None
        if num_classes <= CONFUSION_CLASSES if confusion is None else confusion:
            self._table = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
        self._tally = torch.zeros(
            3, num_classes if self._table is None else 0, dtype=torch.int64, device=device
        )
        self._waiting = WaitingRows(torch.empty(ROOM, dtype=torch.int64, device=device), keeps=False)
        self._loss = torch.zeros((), dtype=torch.float64, device=device)
        self._priced = torch.zeros((), dtype=torch.int64, device=device)

    def update(
        self,
        logits: Tensor,
        labels: Tensor,
        mean_loss: Tensor | None = None,
        *,
        groups: LabelGroups | None = None,
    ) -> Tensor:
        """Add a batch, and return its decisions (B,).

        Parameters
        ----------
        logits : Tensor (B, K)
            The real ones, bias included. Ties go to the lowest class.
        labels : Tensor (B,)
        mean_loss : Tensor (), optional
            Mean loss of this batch.
        groups : LabelGroups, optional
            What :func:`label_groups` makes of these labels, when it was asked before.

        Raises
        ------
        ValueError
            Not K logits per sample, logits that are no numbers, or a label outside 0 … K-1. The state is then
            unchanged.
        """
        count = labels.shape[0]
        if logits.shape != (count, self.num_classes):
            raise ValueError(f"logits must be ({count}, {self.num_classes}), not {tuple(logits.shape)}")
        groups = label_groups(labels, count, self.num_classes) if groups is None else groups
        logits, labels = logits.detach(), groups.labels
        decisions = row_argmax(logits)
        if count and math.isnan(logits.max()):
            lost = int(logits.isnan().any(dim=1).sum())
            raise ValueError(f"{lost} of {len(logits)} samples have logits that are no numbers")
        if self._table is not None:
            self._wait(decisions, labels)
        else:
            for row, names in enumerate((labels, labels[labels == decisions], decisions)):
                self._tally[row] += torch.bincount(names, minlength=self.num_classes)
        if mean_loss is not None:
            self._loss += mean_loss.detach().double() * count
            self._priced += count
        return decisions

    def merge(self, other: Decisions) -> Decisions:
        """Add what another accumulator saw; returns self."""
        if other.num_classes != self.num_classes:
            raise ValueError(f"cannot merge decisions of {other.num_classes} classes into {self.num_classes}")
        if (self._table is None) != (other._table is None):
            raise ValueError("cannot merge decisions with confusion counts and decisions without")
        self._settle()
        other._settle()
        if self._table is not None and other._table is not None:
            self._table += other._table
        self._tally += other._tally
        self._loss += other._loss
        self._priced += other._priced
        return self

    @property
    def confusion(self) -> Tensor:
        """Confusion counts (K, K)."""
        if self._table is None:
            raise ValueError("confusion counts were not kept; see Decisions(..., confusion=True)")
        self._settle()
        return self._table

    @property
    def counts(self) -> Tensor:
        """Samples of each class (K,)."""
        return self._tally[0] if self._table is None else self.confusion.sum(dim=1)

    @property
    def correct(self) -> Tensor:
        """Samples of each class (K,) that were decided right."""
        return self._tally[1] if self._table is None else self.confusion.diagonal()

    @property
    def decided(self) -> Tensor:
        """Samples (K,) that each class was decided for."""
        return self._tally[2] if self._table is None else self.confusion.sum(dim=0)

    @property
    def samples(self) -> int:
        """Number of samples seen."""
        return int(self.counts.sum())

    @property
    def classes(self) -> int:
        """Number of classes that have samples."""
        return int((self.counts > 0).sum())

    @property
    def accuracy(self) -> float:
        """Share of samples whose decision is their label; NaN without samples."""
        return int(self.correct.sum()) / self.samples if self.samples else math.nan

    @property
    def recall(self) -> Tensor:
        """Share of the samples of each class (K,) decided right; NaN for a class without samples."""
        return self.correct.double() / self.counts

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall over the classes that have samples; NaN without samples."""
        seen = self.recall[self.counts > 0]
        return float(seen.mean()) if seen.numel() else math.nan

    @property
    def loss(self) -> float:
        """Mean loss over the samples that came with one; NaN without such."""
        return float(self._loss) / self.priced if self.priced else math.nan

    @property
    def priced(self) -> int:
        """Number of samples that came with a loss."""
        return int(self._priced)

    def compute(self) -> dict[str, float]:
        """Every result by name."""
        return {
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "loss": self.loss,
            "samples": float(self.samples),
        }

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        self._settle()
        return {name: _copy(getattr(self, name)) for name in _STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state by one that :meth:`state_dict` gave."""
        device = self._loss.device
        self._waiting.take()
        for name in _STATE:
            value = state[name]
            setattr(self, name, None if value is None else value.to(device, copy=True))
        self.num_classes = len(self.counts)

    def _wait(self, decisions: Tensor, labels: Tensor) -> None:
        """Count a batch in the confusion table, with others: alone it costs more calls than work."""
        place = self._waiting.place(labels.shape[0], decisions.dtype, self._settle)
        if place is None:
            self._tabulate(decisions, labels)
            return
        place.copy_(decisions)
        self._waiting.put(labels)

    def _settle(self) -> None:
        """Count the decisions that wait."""
        if len(self._waiting):
            self._tabulate(*self._waiting.take())

    def _tabulate(self, decisions: Tensor, labels: Tensor) -> None:
        assert self._table is not None
        cells = labels * self.num_classes + decisions
        self._table.view(-1).index_add_(0, cells, torch.ones_like(cells))


_STATE = ("_table", "_tally", "_loss", "_priced")


def _copy(value: Tensor | None) -> Tensor | None:
    return None if value is None else value.clone()
