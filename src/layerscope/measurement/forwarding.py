"""One forward pass over a part of a split, features handed on as they flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from layerscope.data.split_part import SplitPart
from layerscope.errors import MeasurementError
from layerscope.features.taps import Taps
from layerscope.measurement.setup import Setup
from layerscope.measures.base import LayerStatistics


class Batch(NamedTuple):
    """What goes in: images (B, C, H, W), labels (B,), the place of the first, and how new the images are."""

    images: Tensor
    labels: Tensor
    start: int
    version: int | None

    @classmethod
    def of(cls, images: Tensor, labels: Tensor, start: int) -> Batch:
        """A batch whose images nobody has changed yet."""
        return cls(images, labels, start, None if images.is_inference() else images._version)

    def shows(self, features: Tensor) -> bool:
        """Whether features (B, D) are the images, as they are in memory and as they came."""
        images = self.images
        return (
            features.data_ptr() == images.data_ptr()
            and features.numel() == images.numel()
            and features.is_contiguous()
            and images.is_contiguous()
            and self.version is not None
            and images._version == self.version
        )


Receive = Callable[[LayerStatistics, Tensor, Batch], None]
"""``receive(entry, features, batch)``: a layer's features (B, D)."""


def forwarded(
    model: nn.Module,
    part: SplitPart,
    setup: Setup,
    entries: Sequence[LayerStatistics],
    receive: Receive,
    pause: Callable[[], None],
) -> Iterator[tuple[Batch, Tensor]]:
    """Forward a part of a split in stored order, handing on every layer's features; batches and their logits.

    Parameters
    ----------
    entries : sequence of LayerStatistics
        The layers that are looked at; others are passed over.
    pause : callable
        Called before every batch.

    Raises
    ------
    MeasurementError
        ``receive`` refused features; the message names layer, split and samples.
    """
    by_call = {(entry.layer.module_name, entry.layer.call): entry for entry in entries}
    batch = Batch.of(torch.empty(0), torch.empty(0, dtype=torch.int64), 0)

    def hand_on(module_name: str, call: int, values: Tensor) -> None:
        entry = by_call.get((module_name, call))
        if entry is None:
            return
        try:
            receive(entry, setup.reduce(values), batch)
        except ValueError as error:
            first, last = part.places[[batch.start, batch.start + len(batch.labels) - 1]].tolist()
            place = f"layer {entry.layer.name}, {part.name} split, samples {first} to {last}"
            raise MeasurementError(f"{place}: {error}") from error

    with Taps(model, setup.spec, hand_on, setup.where):
        for images, labels in part.batches(setup.batch_size):
            pause()
            batch = Batch.of(images.to(setup.dtype), labels, batch.start + len(batch.labels))
            yield batch, model(batch.images)
