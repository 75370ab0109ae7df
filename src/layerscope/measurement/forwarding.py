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

Receive = Callable[[LayerStatistics, Tensor, Tensor, int], None]
"""``receive(entry, features, labels, start)``: a layer's features (B, D), and the first sample's place."""


class Batch(NamedTuple):
    """What went in and what came out, once every layer's features were handed on."""

    images: Tensor
    labels: Tensor
    logits: Tensor
    start: int


def forwarded(
    model: nn.Module,
    part: SplitPart,
    setup: Setup,
    entries: Sequence[LayerStatistics],
    receive: Receive,
    pause: Callable[[], None],
) -> Iterator[Batch]:
    """Forward a part of a split in stored order, handing on every layer's features.

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
    start, batch_labels = 0, torch.empty(0, dtype=torch.int64)

    def hand_on(module_name: str, call: int, values: Tensor) -> None:
        entry = by_call.get((module_name, call))
        if entry is None:
            return
        try:
            receive(entry, setup.reduce(values), batch_labels, start)
        except ValueError as error:
            first, last = part.places[[start, start + len(batch_labels) - 1]].tolist()
            place = f"layer {entry.layer.name}, {part.name} split, samples {first} to {last}"
            raise MeasurementError(f"{place}: {error}") from error

    with Taps(model, setup.spec, hand_on, setup.where):
        for images, labels in part.batches(setup.batch_size):
            pause()
            batch_labels, images = labels, images.to(setup.dtype)
            yield Batch(images, labels, model(images), start)
            start += len(labels)
