"""Minority collapse: rare classes lose their own directions."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.functional.between import centered
from layerscope.functional.class_groups import RULES, class_groups
from layerscope.functional.minority import cosine_between, group_cosine, norm_ratio
from layerscope.measures.base import (
    CheckpointStatistics,
    Need,
    Subject,
    Value,
    because,
    each_split,
    weights_subject,
)
from layerscope.measures.classifier import class_rows, classifier_of
from layerscope.measures.group_accuracy import PROVENANCE
from layerscope.measures.train_counts import train_counts

STATISTICS = ("tail_cosine", "head_cosine", "head_tail_cosine", "head_tail_angle", "norm_ratio")


class MinorityCollapse:
    """Angles and lengths of the vectors of frequent and of rare classes.

    Qualifiers ``vectors``: ``weights`` (rows of the last layer, as they are; split ``weights``) or ``means``
    (class means minus their mean, every layer and split); ``statistic``: ``tail_cosine``, ``head_cosine``
    (mean over pairs within the group; undefined below two), ``head_tail_cosine``, ``head_tail_angle`` (mean
    over pairs across; degrees), ``norm_ratio`` (mean length in the head over that in the tail); ``rule`` and
    ``provenance`` as of GroupAccuracy. The means of two classes are opposite whatever the data: degenerate.
    Skipped when the train split is not measured, and for a last layer
    that is not linear.
    """

    name = "MinorityCollapse"
    qualifiers = ("vectors", "statistic", "rule", "provenance")
    needs = Need.MOMENTS | Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Five values per rule for the classifier, and for each layer and split."""
        counts = train_counts(statistics)
        entry, rows = classifier_of(statistics)[0], class_rows(statistics)
        numbers = None if rows is None else torch.arange(len(rows))
        for value in _each("weights", rows, numbers, counts):
            yield weights_subject(entry), value
        for subject, _, _, moments in each_split(statistics):
            offsets = centered(moments.means)[0].cpu()
            for value in _each("means", offsets, moments.present.cpu(), counts):
                yield subject, value


def _each(
    vectors: str, rows: Tensor | None, classes: Tensor | None, counts: Tensor | None
) -> Iterator[Value]:
    """The values of the ``rows`` (n, D) of these ``classes`` (n,), under each rule."""
    for rule in RULES:
        if rows is None or classes is None or counts is None:
            found, status, reason = dict.fromkeys(STATISTICS, math.nan), "skipped", ""
        else:
            groups = class_groups(counts, rule)
            head, tail = (rows[torch.isin(classes, groups[group])] for group in ("head", "tail"))
            found, status = _statistics(head, tail), ""
            reason = because(two_classes=vectors == "means" and len(rows) == 2)
        for statistic, value in found.items():
            qualifiers = {"vectors": vectors, "statistic": statistic, "rule": rule}
            unit = "degree" if statistic == "head_tail_angle" else "1"
            place = {**qualifiers, "provenance": PROVENANCE[rule]}
            yield Value(place, value, status, unit, reason=reason)


def _statistics(head: Tensor, tail: Tensor) -> dict[str, float]:
    cosine, angle = cosine_between(head, tail)
    values = group_cosine(tail), group_cosine(head), cosine, angle, norm_ratio(head, tail)
    return dict(zip(STATISTICS, values, strict=True))
