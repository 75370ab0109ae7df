"""Singular values of every layer's weight."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.measures.base import (
    CheckpointStatistics,
    LayerStatistics,
    Need,
    Subject,
    Value,
    weights_subject,
)


class WeightSVs:
    """Singular values of the weight of each tapped linear or convolutional layer, as (out, in · kernel).

    Qualifiers ``sigma_index`` (0-based, descending) and ``scale``: ``absolute``, ``relative`` (divided by
    their sum), ``cumulative`` (running sum of relative). The split is ``weights``: no data is involved.
    Layers without a weight matrix get one row, ``skipped``.
    """

    name = "WeightSVs"
    qualifiers = ("sigma_index", "scale")
    needs = Need.SPECTRUM

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Three values per layer and singular value."""
        for entry in statistics.layers:
            subject = weights_subject(entry)
            for value in _spectrum_values(entry):
                yield subject, value


def _spectrum_values(entry: LayerStatistics) -> Iterator[Value]:
    if entry.spectrum is None:
        yield Value({"sigma_index": 0, "scale": "absolute"}, math.nan, "skipped")
        return
    relative = entry.spectrum.relative
    columns = {
        "absolute": entry.spectrum.values.tolist(),
        "relative": relative.tolist(),
        "cumulative": relative.cumsum(dim=0).tolist(),
    }
    for scale, numbers in columns.items():
        for index, number in enumerate(numbers):
            unit = "weight" if scale == "absolute" else "1"
            yield Value({"sigma_index": index, "scale": scale}, number, unit=unit)
