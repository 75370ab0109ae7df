"""The labels of a batch, checked, counted and sorted once for all layers whose features they name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from layerscope.statistics.checks import check_labels

SHORT = 2**15  # classes whose labels fit sixteen bits


@dataclass(frozen=True)
class LabelGroups:
    """Which samples of a batch belong to which class.

    On the CPU numpy does the work: batches are small, and a call of torch costs as much as what it does.

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
        if self.labels.device.type != "cpu":
            return self.labels.argsort(stable=True)
        labels = self.labels.numpy()
        return torch.from_numpy(_short(labels, len(self.counts)).argsort(kind="stable"))

    @cached_property
    def starts(self) -> Tensor:
        """Where each class begins in :attr:`order` (K,)."""
        if self.counts.device.type != "cpu":
            return self.counts.cumsum(0) - self.counts
        counts = self.counts.numpy()
        return torch.from_numpy(counts.cumsum() - counts)

    def sums(self, rows: Tensor) -> Tensor:
        """Sums (K, D) of the rows (B, D) of each class, in their own precision."""
        return embedding_bag(self.order, rows, self.starts, mode="sum")

    def sums_of(self, classes: Tensor, rows: Tensor) -> Tensor:
        """Sums (m, D), float64, of the rows (B, D) of some classes (m,), ascending, that all have samples."""
        chosen = torch.zeros_like(self.counts, dtype=torch.bool)
        chosen[classes] = True
        places = self.order[chosen[self.labels[self.order]]]
        sizes = self.counts[classes]
        own = torch.arange(len(places), device=places.device)
        return embedding_bag(own, rows[places].double(), sizes.cumsum(0) - sizes, mode="sum")


def label_groups(labels: Tensor, samples: int, num_classes: int) -> LabelGroups:
    """Groups of labels that :func:`check_labels` lets pass.

    Raises
    ------
    ValueError
    """
    check_labels(labels, samples, num_classes)
    if labels.device.type != "cpu":
        labels = labels.to(torch.int64, copy=True)  # whoever gave them may put others in their place
        return LabelGroups(labels, torch.bincount(labels, minlength=num_classes))
    own = labels.numpy().astype(np.int64)  # a copy
    return LabelGroups(torch.from_numpy(own), torch.from_numpy(np.bincount(own, minlength=num_classes)))


def _short(labels: npt.NDArray[np.int64], num_classes: int) -> npt.NDArray[np.integer[Any]]:
    """Labels that numpy sorts by counting, where they fit."""
    return labels.astype(np.int16) if num_classes <= SHORT else labels


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
