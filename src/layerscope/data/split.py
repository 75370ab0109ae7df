"""A split: images and labels on the device, handed out in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.data.augment import Shifts
from layerscope.data.catalog import Augmentation, DatasetInfo
from layerscope.data.normalise import Normalise, normaliser, pixel_unit
from layerscope.data.samples import Samples
from layerscope.data.views import DrawnViews, Views, draw
from layerscope.distributed.share import WHOLE, Share


class Split(Protocol):
    """What training and measuring know of a split."""

    @property
    def name(self) -> str:
        """``train``, ``validation`` or ``test``."""

    @property
    def labels(self) -> Tensor:
        """Return the labels as trained on: int64 of shape (N,), on the device."""

    @property
    def num_classes(self) -> int:
        """How many classes there are; every label is below."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""

    def __len__(self) -> int: ...

    def batches(
        self,
        batch_size: int,
        *,
        order: Tensor | None = None,
        augment: torch.Generator | None = None,
        skip: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield normalised images, float32 (B, C, H, W), and labels (B,), on the device.

        The last batch may be short.

        Parameters
        ----------
        order
            The samples to visit, as indices in their order; None means all, as stored.
        augment
            The source of random crops and flips (or views); None means none.
        skip
            How many batches to leave out at the beginning; the others are what they are without it.
        share
            The part of every batch to yield; each sample is what it is in the whole batch.
        """


@dataclass(frozen=True)
class InMemorySplit:
    """All images at once on the device: a batch is a slice (or a gather), a multiplication, a subtraction."""

    name: str
    images: Tensor
    labels: Tensor
    num_classes: int
    normalise: Normalise
    augmentation: Augmentation | Views

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self,
        batch_size: int,
        *,
        order: Tensor | None = None,
        augment: torch.Generator | None = None,
        skip: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches (see :class:`Split`)."""
        places = None if order is None else order.to(self.labels.device)
        count = len(self) if order is None else len(order)
        shifts = self._shifts(count, augment)
        for window in windows(count, batch_size, skip, share):
            images, labels = self._take(window, places)
            if shifts is not None:
                images = shifts.apply(images, window)
            yield self.normalise(images), labels

    def _shifts(self, count: int, augment: torch.Generator | None) -> Shifts | DrawnViews | None:
        if augment is None:
            return None
        return draw(self.augmentation, count, self.shape[0], augment, self.labels.device)

    def _take(self, window: slice, order: Tensor | None) -> tuple[Tensor, Tensor]:
        if order is None:
            return self.images[window], self.labels[window]
        chosen = order[window]
        return self.images.index_select(0, chosen), self.labels.index_select(0, chosen)


def class_counts(split: Split) -> Tensor:
    """Samples of each class (K,), int64, on the device."""
    return torch.bincount(split.labels, minlength=split.num_classes)


def windows(count: int, batch_size: int, skip: int, share: Share) -> Iterator[slice]:
    """The places of a share of every batch, in a pass of ``count`` samples without its first batches."""
    for start in range(skip * batch_size, count, batch_size):
        yield share.of(slice(start, min(start + batch_size, count)))


def in_memory_split(name: str, samples: Samples, info: DatasetInfo, device: torch.device) -> InMemorySplit:
    """Bring samples to the device and pad them there, once, with black (0 before normalisation)."""
    stored = np.require(samples.images, requirements=["C", "W"])
    images = F.pad(torch.from_numpy(stored).to(device), (info.pad,) * 4)
    return InMemorySplit(
        name=name,
        images=images.expand(-1, info.channels, -1, -1),  # takes no memory
        labels=torch.from_numpy(samples.labels).to(device),
        num_classes=info.classes,
        normalise=normaliser(info, pixel_unit(stored.dtype), device),
        augmentation=info.augmentation,
    )
