"""Accuracy of frequent and of rare classes."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from layerscope.functional.class_groups import GROUPS, RULES, class_groups
from layerscope.measures.accuracy import logits_subject
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value
from layerscope.measures.train_counts import train_counts
from layerscope.statistics.decisions import Decisions

PROVENANCE = {"thirds": "inferred", "shots": "published"}


class GroupAccuracy:
    """Accuracy over samples, over classes, and over groups of classes.

    Qualifiers ``group``: ``overall`` (share of samples), ``balanced`` (mean recall), ``head``, ``mid``,
    ``tail`` (mean recall of the group's classes); ``rule``: how classes are grouped by their training
    samples, ``thirds`` or ``shots`` (``none`` for the first two); ``provenance``: ``inferred`` when the rule
    is. A group without samples is undefined; skipped when the train split is not measured.
    """

    name = "GroupAccuracy"
    qualifiers = ("group", "rule", "provenance")
    needs = Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Eight values per split."""
        counts = train_counts(statistics)
        for split, decisions in statistics.decisions.items():
            subject = logits_subject(statistics, split)
            whole = {"overall": decisions.accuracy, "balanced": decisions.balanced_accuracy}
            for group, accuracy in whole.items():
                yield subject, Value({"group": group, "rule": "none", "provenance": "published"}, accuracy)
            for value in _by_group(decisions, counts):
                yield subject, value


def _by_group(decisions: Decisions, counts: Tensor | None) -> Iterator[Value]:
    recall, seen = decisions.recall.cpu(), (decisions.counts > 0).cpu()
    for rule in RULES:
        groups = None if counts is None else class_groups(counts, rule)
        for group in GROUPS:
            qualifiers = {"group": group, "rule": rule, "provenance": PROVENANCE[rule]}
            if groups is None:
                yield Value(qualifiers, math.nan, "skipped")
                continue
            members = groups[group][seen[groups[group]]]
            yield Value(qualifiers, float(recall[members].mean()) if len(members) else math.nan)


class ClassRecall:
    """Share of the samples of each class that the network decides right.

    Qualifiers ``class``, and ``train_samples`` of it (-1 when the train split is not measured). Undefined for
    a class without samples.
    """

    name = "ClassRecall"
    qualifiers = ("class", "train_samples")
    needs = Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per class and split."""
        counts = train_counts(statistics)
        for split, decisions in statistics.decisions.items():
            known = [-1] * decisions.num_classes if counts is None else counts.tolist()
            subject = logits_subject(statistics, split)
            for number, recall in enumerate(decisions.recall.tolist()):
                yield subject, Value({"class": number, "train_samples": known[number]}, recall)
