"""A stretch of a split, or chosen samples of one, as a split of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from layerscope.data.split import Split
from layerscope.distributed.share import WHOLE, Share, own_share


@dataclass(frozen=True)
class SplitPart:
    """The samples ``first`` to ``first + count - 1`` of a split, or ``count`` chosen ones of these.

    Attributes
    ----------
    whole : Split
    first, count : int
    chosen : Tensor (count,), optional
        Their places in the whole split, ascending, when they are no stretch.
    """

    whole: Split
    first: int
    count: int
    chosen: Tensor | None = None

    @property
    def name(self) -> str:
        """The name of the whole split."""
        return self.whole.name

    @property
    def labels(self) -> Tensor:
        """Labels of these samples (count,)."""
        if self.chosen is not None:
            return self.whole.labels[self.chosen]
        return self.whole.labels[self.first : self.first + self.count]

    @property
    def places(self) -> Tensor:
        """Their places in the whole split (count,), ascending."""
        if self.chosen is not None:
            return self.chosen
        return torch.arange(self.first, self.first + self.count, device=self.whole.labels.device)

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

    def find(self, places: Tensor) -> Tensor:
        """Where the samples with these places in the whole split (m,), ascending, stand here, if they do."""
        if self.chosen is None:
            return places[(places >= self.first) & (places < self.first + self.count)] - self.first
        return torch.isin(self.chosen, places).nonzero().squeeze(1)

    def restricted(self, places: Tensor) -> SplitPart:
        """Only those of these samples that have one of these places in the whole split, ascending."""
        own = self.places[self.find(places)]
        return SplitPart(self.whole, self.first, len(own), own)

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
        places = None  # slices are cheaper than chosen samples
        if order is not None:
            places = self.places[order.to(self.places.device)]
        elif self.count < len(self.whole):
            places = self.places
        return self.whole.batches(batch_size, order=places, augment=augment, skip=skip, share=share)


def own_part(split: Split) -> SplitPart:
    """The stretch of ``split`` that this process reads, when several share the work."""
    stretch = own_share().of(slice(0, len(split)))
    return SplitPart(split, stretch.start, stretch.stop - stretch.start)
