"""Accuracy: what the network itself gets right."""

from __future__ import annotations

import math
from collections.abc import Iterator

from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, singletons_of


class Accuracy:
    """Accuracy and mean loss of the network in eval mode, labels as trained on.

    Qualifier ``quantity``: ``accuracy`` (share of samples, exact counts, in [0, 1]) or ``loss`` (the
    training loss, in nats or, of squared errors, ``logit^2``). Where training knew no labels, ``loss`` is
    skipped, since what was trained cannot be told from logits, and ``probe_loss`` is that of the probe.
    """

    name = "Accuracy"
    qualifiers = ("quantity",)
    needs = Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per split, at the logits, or three with a probe."""
        for split, decisions in statistics.decisions.items():
            subject = logits_subject(statistics, split)
            yield subject, Value({"quantity": "accuracy"}, decisions.accuracy)
            unit, quantity = statistics.loss_unit, "loss"
            if statistics.probe:
                yield subject, Value({"quantity": quantity}, math.nan, "skipped", unit)
                quantity = "probe_loss"
            yield subject, Value({"quantity": quantity}, decisions.loss, unit=unit)


def logits_subject(statistics: CheckpointStatistics, split: str) -> Subject:
    """Common columns of the rows about the network's own decisions on one split."""
    decisions = statistics.decisions[split]
    return Subject(
        split,
        "logits",
        len(statistics.layers),
        decisions.samples,
        decisions.classes,
        decisions.num_classes,
        singletons=singletons_of(decisions.counts),
    )
