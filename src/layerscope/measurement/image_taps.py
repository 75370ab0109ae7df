"""Taps that see the images themselves, which no checkpoint changes: what they gave once holds for all."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

from layerscope.distributed.exchange import gathered
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

    def known(self, name: str, entry: LayerStatistics) -> SplitStatistics | None:
        """What holds for every checkpoint, for a split's statistics to begin with; None if not known."""
        key = (name, entry.layer.index)
        found = self._known.get(key)
        if (
            found is not None
        ):  # anew, so that what is found later is remembered, and the rest is not taken over
            found = SplitStatistics(moments=found.moments, basis=found.basis, spectra=found.spectra)
            self._known[key] = found
        return found

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
