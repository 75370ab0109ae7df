"""Drift of the centre of the features under class imbalance."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from layerscope.functional.drift import (
    drift_gap,
    drift_norm,
    drift_prior,
    drift_relative,
    etf_distances,
    weight_drift,
)
from layerscope.measures.base import (
    CheckpointStatistics,
    LayerStatistics,
    Need,
    Subject,
    Value,
    because,
    each_split,
    weights_subject,
)
from layerscope.measures.classifier import class_rows, classifier_of, reads_features
from layerscope.measures.train_counts import train_counts
from layerscope.statistics.class_moments import ClassMoments

POOLED = -1  # in place of a class


class Drift:
    r"""How far the centre of the class means is from the origin, and where it comes from.

    Qualifiers ``statistic``, ``class`` (-1: not about one), ``provenance`` (``inferred`` for ``norm``, whose
    definition is a reading of its name). For every layer and split: ``norm`` :math:`|\mu_B|`, ``relative``
    (over rms :math:`|m_c|`), ``gap`` :math:`|\mu_S - \mu_B|`, ``etf`` (distance of each class mean from
    its vertex of the closest ETF, in units of rms :math:`|m_c|`, and the mean of it), ``train_test``
    (distance of each class mean from that of the train split, and the mean of it; not on that split). At the
    classifier: ``prior_slope``, ``prior_r2`` of :math:`w_c^\top \mu_B` against :math:`\ln n_c`. Of its rows
    (split ``weights``): ``weight_norm``, ``weight_relative``. Degenerate: ``etf`` of two classes, whose means
    can lie in no other way. Skipped where the classifier does not read the
    features, or the train split is not measured.
    """

    name = "Drift"
    qualifiers = ("statistic", "class", "provenance")
    needs = Need.MOMENTS | Need.DECISIONS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Four values and one per class for each layer and split, and those of the classifier."""
        last, module = classifier_of(statistics)
        for subject, entry, _, moments in each_split(statistics):
            for value in (*_centre(moments), *_distances(moments), *_moved(subject.split, entry, moments)):
                yield subject, value
            if entry is last:
                for value in _prior(statistics, moments):
                    yield subject, value
        weight = None if module is None else module.weight.detach()
        norm, relative = (math.nan, math.nan) if weight is None else weight_drift(weight)
        status = "skipped" if weight is None else ""
        subject = weights_subject(last)
        yield subject, _value("weight_norm", norm, status=status, unit="weight")
        yield subject, _value("weight_relative", relative, status=status)


def _value(
    statistic: str, value: float, label: int = POOLED, status: str = "", unit: str = "1", reason: str = ""
) -> Value:
    provenance = "inferred" if statistic == "norm" else "defined"
    place: dict[str, str | int] = {"statistic": statistic, "class": label, "provenance": provenance}
    return Value(place, value, status, unit, reason=reason)


def _centre(moments: ClassMoments) -> Iterator[Value]:
    means, counts = moments.means, moments.counts[moments.present]
    yield _value("norm", drift_norm(means), unit="feature")
    yield _value("relative", drift_relative(means))
    yield _value("gap", drift_gap(means, counts), unit="feature")


def _distances(moments: ClassMoments) -> Iterator[Value]:
    found = etf_distances(moments.means)
    if found is None:
        yield _value("etf", math.nan)
        return
    trivial = because(two_classes=len(found) == 2)
    yield _value("etf", float(found.mean()), reason=trivial)
    for label, distance in zip(moments.present.tolist(), found.tolist(), strict=True):
        yield _value("etf", distance, label, reason=trivial)


def _moved(split: str, entry: LayerStatistics, moments: ClassMoments) -> Iterator[Value]:
    """Distances from the class means of the train split, for the classes that both have."""
    if split == "train":
        return
    train = entry.splits["train"].moments if "train" in entry.splits else None
    if train is None:
        yield _value("train_test", math.nan, status="skipped")
        return
    both = torch.isin(moments.present, train.present)
    labels = moments.present[both]
    steps = moments.means[both] - train.means[torch.searchsorted(train.present, labels)]
    lengths = torch.linalg.vector_norm(steps, dim=1)
    yield _value("train_test", float(lengths.mean()) if len(lengths) else math.nan, unit="feature")
    for label, length in zip(labels.tolist(), lengths.tolist(), strict=True):
        yield _value("train_test", length, label, unit="feature")


def _prior(statistics: CheckpointStatistics, moments: ClassMoments) -> Iterator[Value]:
    entry, module = classifier_of(statistics)
    counts, rows = train_counts(statistics), class_rows(statistics)
    if module is None or rows is None or counts is None or not reads_features(entry, module):
        slope, r2, status = math.nan, math.nan, "skipped"
    else:
        trained, center = counts > 0, moments.means.mean(dim=0).cpu()
        slope, r2 = drift_prior(center, rows[trained], counts[trained])
        status = ""
    yield _value("prior_slope", slope, status=status, unit="logit")
    yield _value("prior_r2", r2, status=status)
