"""Accuracy: what the network itself gets right."""

from __future__ import annotations

from collections.abc import Iterator

from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value


class Accuracy:
    """Accuracy and mean loss of the network in eval mode, labels as trained on.

    Qualifier ``quantity``: ``accuracy`` (share of samples, exact counts, in [0, 1]) or ``loss`` (the
    training loss, in nats or, of squared errors, ``logit^2``).
    """

    name = "Accuracy"
    qualifiers = ("quantity",)
    needs = Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per split, at the logits."""
        for split, decisions in statistics.decisions.items():
            subject = logits_subject(statistics, split)
            yield subject, Value({"quantity": "accuracy"}, decisions.accuracy)
            yield subject, Value({"quantity": "loss"}, decisions.loss, unit=statistics.loss_unit)


def logits_subject(statistics: CheckpointStatistics, split: str) -> Subject:
    """Common columns of the rows about the network's own decisions on one split."""
    decisions = statistics.decisions[split]
    place = len(statistics.layers)
    return Subject(split, "logits", place, decisions.samples, decisions.classes, decisions.num_classes)
