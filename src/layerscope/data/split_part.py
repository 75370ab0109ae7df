"""A stretch of a split, as a split of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.data.split import Split
from layerscope.distributed.share import WHOLE, Share, own_share


@dataclass(frozen=True)
class SplitPart:
    """The samples ``first`` to ``first + count - 1`` of a split."""

    whole: Split
    first: int
    count: int

    @property
    def name(self) -> str:
        """The name of the whole split."""
        return self.whole.name

    @property
    def labels(self) -> Tensor:
        """Labels of these samples (count,)."""
        return self.whole.labels[self.first : self.first + self.count]

    @property
    def num_classes(self) -> int:
        """How many classes the whole split has."""
        return self.whole.num_classes

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        return self.whole.shape

    def __len__(self) -> int:
        return self.count

    def batches(
        self,
        batch_size: int,
        *,
        order: Tensor | None = None,
        augment: torch.Generator | None = None,
        skip: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches (see :class:`layerscope.data.split.Split`)."""
        if order is None and self.count == len(self.whole):
            places = None  # slices are cheaper than chosen samples
        else:
            places = (torch.arange(self.count) if order is None else order) + self.first
        return self.whole.batches(batch_size, order=places, augment=augment, skip=skip, share=share)


def own_part(split: Split) -> SplitPart:
    """The stretch of ``split`` that this process reads, when several share the work."""
    stretch = own_share().of(slice(0, len(split)))
    return SplitPart(split, stretch.start, stretch.stop - stretch.start)
