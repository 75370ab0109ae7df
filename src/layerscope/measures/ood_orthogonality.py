"""NC5: other data lies orthogonal to the class means."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.functional.ood import ood_orthogonality
from layerscope.measures.base import (
    CheckpointStatistics,
    LayerStatistics,
    Need,
    Subject,
    Value,
    because,
    singletons_of,
)
from layerscope.statistics.class_moments import ClassMoments


class NC5:
    r"""Mean over classes of |cos(μ_c, μ_ood)|, train means as they are against the mean of other data.

    Qualifier ``statistic``: ``orthogonality``, in [0, 1], 0 when orthogonal. The split is ``ood``;
    ``samples`` are those of the out-of-distribution set. Undefined when a mean is zero; degenerate with one
    feature, where it is 1 whatever the data; skipped without such a set (``Data.ood``) or without the train
    split.
    """

    name = "NC5"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS | Need.OOD

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per layer."""
        for entry in statistics.layers:
            train = entry.splits.get("train")
            moments = train.moments if train is not None else None
            if moments is None or entry.ood is None:
                yield _subject(entry, moments, 0), Value({"statistic": "orthogonality"}, math.nan, "skipped")
                continue
            value = ood_orthogonality(moments.means, entry.ood.mean)
            trivial = because(one_feature=entry.layer.dim == 1)
            place = {"statistic": "orthogonality"}
            yield _subject(entry, moments, entry.ood.samples), Value(place, value, reason=trivial)


def _subject(entry: LayerStatistics, moments: ClassMoments | None, samples: int) -> Subject:
    layer = entry.layer
    classes, single = (0, 0) if moments is None else (len(moments.present), singletons_of(moments.counts))
    taken = (layer.dim, entry.where, entry.reduce, single)
    return Subject("ood", layer.name, layer.index, samples, classes, *taken)
