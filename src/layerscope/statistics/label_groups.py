"""The labels of a batch, checked, counted and sorted once for all layers whose features they name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from layerscope.statistics.checks import check_labels


@dataclass(frozen=True)
class LabelGroups:
    """Which samples of a batch belong to which class.

    Attributes
    ----------
    labels : Tensor (B,), int64
    counts : Tensor (K,), int64
        Samples of each class.
    """

    labels: Tensor
    counts: Tensor

    @cached_property
    def order(self) -> Tensor:
        """The samples (B,) by class, within one as they came."""
        return self.labels.argsort(stable=True)

    @cached_property
    def starts(self) -> Tensor:
        """Where each class begins in :attr:`order` (K,)."""
        return self.counts.cumsum(0) - self.counts

    def sums(self, rows: Tensor) -> Tensor:
        """Sums (K, D) of the rows (B, D) of each class, in their own precision."""
        return embedding_bag(self.order, rows, self.starts, mode="sum")


def label_groups(labels: Tensor, samples: int, num_classes: int) -> LabelGroups:
    """Groups of labels that :func:`check_labels` lets pass.

    Raises
    ------
    ValueError
    """
    check_labels(labels, samples, num_classes)
    labels = labels.long()
    return LabelGroups(labels, torch.bincount(labels, minlength=num_classes))


class NewestGroups:
    """Groups the labels of one batch after another, each once however often it is asked for them."""

    def __init__(self, num_classes: int) -> None:
        self._num_classes = num_classes
        self._newest: tuple[int, LabelGroups] | None = None

    def of(self, labels: Tensor, start: int) -> LabelGroups:
        """Groups of the labels (B,) of the batch whose first sample has the place ``start``."""
        if self._newest is None or self._newest[0] != start:
            self._newest = start, label_groups(labels, len(labels), self._num_classes)
        return self._newest[1]
