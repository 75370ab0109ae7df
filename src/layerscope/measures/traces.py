"""Traces of the within- and between-class covariance (NC1 in its simplest form)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.functional.traces import between_trace
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, class_weights_of, each_split


class Traces:
    r"""tr Σ_w, tr Σ_b and their sum, absolute and relative to the sum.

    Qualifiers ``trace``: ``within``, ``between``, ``sum``; ``scale``: ``absolute`` (squared feature units),
    ``relative`` (in [0, 1]). One class has nothing between classes: ``between`` and all relative values are
    undefined.
    """

    name = "Traces"
    qualifiers = ("trace", "scale")
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Six values per layer and split."""
        for subject, _, _, moments in each_split(statistics):
            weights = class_weights_of(moments, statistics)
            within = float(weights.within @ moments.variances)
            between = between_trace(moments.means, weights.between, center=weights.center)
            total, alone = within + between, subject.classes < 2
            between = math.nan if alone else between
            for trace, value in (("within", within), ("between", between), ("sum", total)):
                yield subject, Value({"trace": trace, "scale": "absolute"}, value, unit="feature^2")
                relative = value / total if total > 0 and not alone else math.nan
                yield subject, Value({"trace": trace, "scale": "relative"}, relative)
