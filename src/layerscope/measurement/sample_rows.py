"""The features of the same few images at every tap."""

from __future__ import annotations

from bisect import bisect_left

from torch import Tensor

from layerscope.data.split_part import SplitPart
from layerscope.distributed.exchange import merged
from layerscope.statistics.checks import not_finite
from layerscope.statistics.feature_sample import FeatureSample, Sampled

IMAGES = -1
"""Stands for the images themselves where the index of a layer is asked for."""


class SampleRows:
    """Picks the chosen images' features out of the batches of a part of a split.

    Parameters
    ----------
    part : SplitPart
    chosen : Tensor (n,), int64
        Places in the whole split, ascending: the same in every layer, checkpoint and process.
    """

    def __init__(self, part: SplitPart, chosen: Tensor) -> None:
        self._part, self._size = part, max(len(chosen), 1)
        self._places = part.find(chosen)
        self._sorted: list[int] = self._places.tolist()
        self._rows: dict[int, Tensor] = {}

    def take(self, layer: int, features: Tensor, start: int) -> None:
        """Keep what is wanted of the features (B, D) of the samples from ``start`` on.

        Raises
        ------
        ValueError
            They are not finite.
        """
        low, high = (bisect_left(self._sorted, place) for place in (start, start + len(features)))
        if low == high:
            return
        rows = features[self._places[low:high] - start]
        if not bool(rows.isfinite().all()):
            raise ValueError(not_finite(features))
        if layer not in self._rows:
            self._rows[layer] = rows.new_empty(len(self._sorted), rows.shape[1])
        self._rows[layer][low:high] = rows

    def collected(self, layer: int, dim: int) -> Sampled:
        """The chosen features of all processes, by class and then by index; what was kept is let go."""
        part = self._part
        sample = FeatureSample(self._size, part.num_classes, dim, device=part.labels.device)
        rows = self._rows.pop(layer, None)
        if rows is not None:
            sample.update(rows, part.labels[self._places], part.places[self._places])
        return merged(sample).compute()
