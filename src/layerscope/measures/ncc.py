"""NC4: the nearest class mean decides as well as the network."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because, each_split

SHARES = ("accuracy", "balanced_accuracy", "agreement", "balanced_agreement")


class NCC:
    """Decisions by the nearest train class mean, on both splits.

    Qualifier ``statistic``: ``accuracy`` (share of samples whose nearest train mean is their label),
    ``balanced_accuracy`` (mean over classes), ``agreement`` (share whose nearest train mean is the
    network's decision, from its real logits), ``balanced_agreement`` (mean over classes), ``ties`` (samples
    with two equally near means; the lowest class is taken). Ties make the shares degenerate, and so does a
    train split of one class. Skipped when the train split is not measured.
    """

    name = "NCC"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS | Need.NEAREST | Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Five values per layer and split."""
        for subject, _, split, _ in each_split(statistics):
            nearest = split.nearest
            if nearest is None:
                for statistic in (*SHARES, "ties"):
                    yield subject, Value({"statistic": statistic}, math.nan, "skipped")
                continue
            tied = int(nearest.ties)
            reason = because(one_class=len(nearest.classes) == 1, ties=tied > 0)
            for statistic in SHARES:
                yield (
                    subject,
                    Value({"statistic": statistic}, float(getattr(nearest, statistic)), reason=reason),
                )
            yield subject, Value({"statistic": "ties"}, float(tied), unit="count")
