"""Class-distance normalised variance."""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.functional.variability import cdnv
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, each_split, status_of


class CDNV:
    r"""Mean, median and maximum over pairs of classes of (v_i + v_j) / (2 |μ_i - μ_j|²).

    Qualifier ``statistic``: ``mean``, ``median``, ``max``. Degenerate when pairs without any difference
    were left out, or when a class has a single sample (its variance is then 0 by construction).
    """

    name = "CDNV"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Three values per layer and split."""
        for subject, _, _, moments in each_split(statistics):
            result = cdnv(moments.variances, moments.means)
            singletons = bool((moments.counts == 1).any())
            fragile = result["coincident"] > 0 or singletons
            for statistic in ("mean", "median", "max"):
                value = result[statistic]
                yield subject, Value({"statistic": statistic}, value, status_of(value, degenerate=fragile))
