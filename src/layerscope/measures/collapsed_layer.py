"""The layer from which on the network is collapsed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from layerscope.functional.collapsed_layer import THRESHOLD, nc_layer
from layerscope.functional.pair_variability import cdnv
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, each_split
from layerscope.measures.cdnv import fragility


class NCLayer:
    """Index of the NC layer: the first in execution order whose mean CDNV is below 0.2.

    Qualifier ``statistic``: ``first``, ``persistent`` (the first from which on every layer is below). Values
    are ``layer_index``; undefined when no layer is, degenerate when the CDNV of any layer is. Rows stand at
    the layer ``network``, one place after the last.
    """

    name = "NCLayer"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per split."""
        values: dict[str, list[float]] = {}
        reasons: dict[str, str] = {}
        subjects: dict[str, Subject] = {}
        for subject, _, _, moments in each_split(statistics):
            result, split = cdnv(moments.variances, moments.means), subject.split
            values.setdefault(split, []).append(result["mean"])
            reasons[split] = reasons.get(split) or fragility(moments, result)
            subjects[split] = subject
        for split, last in subjects.items():
            found = nc_layer(values[split], THRESHOLD)
            place = len(statistics.layers)
            at = replace(last, layer_name="network", layer_index=place, dim=0)
            for statistic, index in (("first", found.first), ("persistent", found.persistent)):
                value = math.nan if index is None else float(index)
                yield at, Value({"statistic": statistic}, value, unit="layer", reason=reasons[split])
