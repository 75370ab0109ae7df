"""Taps that see the images themselves, which no checkpoint changes: what they gave once holds for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from layerscope.distributed.exchange import gathered
from layerscope.distributed.ranks import world_size
from layerscope.measurement.forwarding import Batch
from layerscope.measures.base import LayerStatistics, SplitStatistics

Key = tuple[str, int]
"""A split, and the index of a layer."""


class ImageTaps:
    """Remembers statistics of taps that were handed the images alone, from one checkpoint to the next.

    Which these are shows in the first sweep: their features lie in the memory of the images.
    """

    def __init__(self) -> None:
        self._known: dict[Key, SplitStatistics] = {}
        self._others: set[Key] = set()
        self._read: dict[Key, tuple[SplitStatistics, Tensor]] = {}  # what was read again, and nearest classes

    def known(self, name: str, entry: LayerStatistics) -> SplitStatistics | None:
        """What holds for every checkpoint, for a split's statistics to begin with; None if not known."""
        key = (name, entry.layer.index)
        before = self._known.get(key)
        if before is None:
            return None
        # Remembered in its place, so that what is found for it later is known, too.
        self._known[key] = SplitStatistics(before.moments, before.basis, spectra=before.spectra)
        return self._known[key]

    def recount(self, name: str, entry: LayerStatistics, labels: Tensor, decided: Tensor) -> bool:
        """Take over what a second sweep found, but for the network's decisions; whether that is known."""
        key, split = (name, entry.layer.index), entry.splits[name]
        if key not in self._read:
            return False
        before, classes = self._read[key]
        assert before.nearest is not None
        split.scatter = before.scatter
        split.nearest = before.nearest.with_decisions(classes, labels, decided)
        return True

    def keep_nearest(self, name: str, entry: LayerStatistics, nearest: Sequence[Tensor | None]) -> None:
        """Remember the nearest classes of kept images, and the scatter, in a process that is alone."""
        key, split = (name, entry.layer.index), entry.splits[name]
        found = [classes for classes in nearest if classes is not None]
        if world_size() == 1 and key in self._known and found:
            self._read[key] = split, torch.cat(found)

    def watch(self, name: str, entry: LayerStatistics, features: Tensor, batch: Batch) -> None:
        """Look whether the features of a batch are its images."""
        if not batch.shows(features):
            self._others.add((name, entry.layer.index))

    def keep(self, name: str, entries: Iterable[LayerStatistics]) -> None:
        """Remember the statistics of a split that was read whole, where no process saw other than images."""
        self._others.update(*gathered(self._others))
        for entry in entries:
            key, split = (name, entry.layer.index), entry.splits[name]
            if key not in self._others and split.moments is not None:
                self._known[key] = split
