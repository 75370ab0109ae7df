"""The layer from which on the network is collapsed."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.functional.collapsed_layer import THRESHOLD, nc_layer
from layerscope.functional.pair_variability import cdnv
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, each_split


class NCLayer:
    """Index of the NC layer: the first in execution order whose mean CDNV is below 0.2.

    Qualifier ``statistic``: ``first``, ``persistent`` (the first from which on every layer is below). Values
    are ``layer_index``; undefined when no layer is. Rows stand at the layer ``network``, one place after the
    last.
    """

    name = "NCLayer"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per split."""
        values: dict[str, list[float]] = {}
        subjects: dict[str, Subject] = {}
        for subject, _, _, moments in each_split(statistics):
            values.setdefault(subject.split, []).append(cdnv(moments.variances, moments.means)["mean"])
            subjects[subject.split] = subject
        for split, last in subjects.items():
            found = nc_layer(values[split], THRESHOLD)
            place = len(statistics.layers)
            at = Subject(split, "network", place, last.samples, last.classes, 0, last.where, last.reduce)
            for statistic, index in (("first", found.first), ("persistent", found.persistent)):
                value = math.nan if index is None else float(index)
                yield at, Value({"statistic": statistic}, value, unit="layer")
