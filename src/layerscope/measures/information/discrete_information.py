"""DiscreteMI and JointPMF: what the decision on a test image says about that on the train image like it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.functional.discrete_information import (
    DiscreteInformation,
    class_mutual_information,
    discrete_mutual_information,
    joint_counts,
)
from layerscope.functional.units import in_units
from layerscope.measures.accuracy import logits_subject
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value
from layerscope.measures.estimation import Estimation
from layerscope.pairing import ImagePairs

ALL = -1  # stands for every class where one is asked for
BOTH = ("train", "test")


class DiscreteMI:
    r"""Mutual information of the network's decisions on paired test and train images.

    Qualifiers ``statistic``: ``information`` (plug-in, ``ceiling`` the smaller of the two entropies,
    ``error`` its asymptotic standard error), ``miller_madow`` (minus its first-order bias), ``null_mean``,
    ``null_quantile`` (95 %) and ``p_value`` of pairs that are broken up at random, ``test_entropy``,
    ``train_entropy`` (of the decisions; ``ceiling`` ln K), ``label_entropy`` (H(Y) of the paired test
    images), ``agreement``, ``label_agreement`` (shares of pairs with the same decision, the same label),
    and ``class_information`` of a test decision, whose mean over the decisions is ``information``;
    ``class``: that decision, -1 for all. Rows stand at the logits of the test split; ``samples`` are pairs.
    Degenerate when one side always decides the same; skipped when train or test split are not measured.
    """

    name = "DiscreteMI"
    qualifiers = ("statistic", "class")
    needs = Need.DECISIONS | Need.PAIRS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Ten values, and one per class."""
        pairs = _measured_pairs(statistics)
        if pairs is None:
            place: dict[str, str | int] = {"statistic": "information", "class": ALL}
            yield nowhere(statistics), Value(place, math.nan, "skipped", statistics.estimation.unit)
            return
        subject, table = _subject(statistics, pairs), _table(statistics, pairs)
        for value in (
            *_of_all(table, statistics.estimation),
            *_of_labels(statistics, pairs),
            *_of_classes(table, statistics.estimation),
        ):
            yield subject, value


class JointPMF:
    r"""Joint distribution of the network's decisions on paired test and train images.

    Qualifiers ``test_class``, ``train_class``: the two decisions; value: the share of pairs that have both.
    Cells that no pair falls into have no row, so that the table has as many rows as pairs at most. Skipped
    (with classes -1) when train or test split are not measured.
    """

    name = "JointPMF"
    qualifiers = ("test_class", "train_class")
    needs = Need.DECISIONS | Need.PAIRS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per pair of decisions that occurs."""
        pairs = _measured_pairs(statistics)
        if pairs is None:
            yield nowhere(statistics), Value({"test_class": ALL, "train_class": ALL}, math.nan, "skipped")
            return
        subject, table = _subject(statistics, pairs), _table(statistics, pairs)
        total = int(table.sum())
        for test_class, train_class in table.nonzero().tolist():
            place = {"test_class": test_class, "train_class": train_class}
            yield subject, Value(place, int(table[test_class, train_class]) / total)


def _measured_pairs(statistics: CheckpointStatistics) -> ImagePairs | None:
    """The pairs, when there are any and the network decided on both images of each."""
    pairs, decided = statistics.pairs, statistics.decisions.keys() >= {*BOTH}
    return pairs if pairs is not None and decided and len(pairs.test) else None


def _subject(statistics: CheckpointStatistics, pairs: ImagePairs) -> Subject:
    whole = logits_subject(statistics, "test")
    labels = statistics.labels["test"].cpu()[pairs.test]
    return Subject(
        "test", whole.layer_name, whole.layer_index, len(pairs.test), len(torch.unique(labels)), whole.dim
    )


def nowhere(statistics: CheckpointStatistics) -> Subject:
    """Where rows stand that have nothing to speak about."""
    return Subject("test", "logits", len(statistics.layers), 0, 0, 0)


def _table(statistics: CheckpointStatistics, pairs: ImagePairs) -> Tensor:
    """Counts (K, K) of decisions on the test image (rows) and on the train image (columns)."""
    test, train = (
        statistics.decided[split].cpu()[places]
        for split, places in (("test", pairs.test), ("train", pairs.train))
    )
    return joint_counts(test, train, statistics.decisions["test"].num_classes)


def _of_all(table: Tensor, estimation: Estimation) -> Iterator[Value]:
    units, unit = estimation.settings.units, estimation.unit
    found = discrete_mutual_information(
        table, permutations=estimation.permutations, seed=estimation.seed, units=units
    )
    yield _value("information", found.value, unit, found.status, found.error, found.bound)
    yield _value("miller_madow", found.miller_madow, unit, found.status)
    yield from _of_chance(found, unit)
    ceiling = in_units(math.log(len(table)), units)
    yield _value("test_entropy", found.row_entropy, unit, ceiling=ceiling)
    yield _value("train_entropy", found.column_entropy, unit, ceiling=ceiling)
    yield _value("agreement", int(table.diagonal().sum()) / int(table.sum()), "1")


def _of_chance(found: DiscreteInformation, unit: str) -> Iterator[Value]:
    for statistic in ("null_mean", "null_quantile"):
        yield _value(statistic, getattr(found, statistic), unit)
    yield _value("p_value", found.p_value, "1")


def _of_labels(statistics: CheckpointStatistics, pairs: ImagePairs) -> Iterator[Value]:
    test, train = (
        statistics.labels[split].cpu()[places]
        for split, places in (("test", pairs.test), ("train", pairs.train))
    )
    shares = torch.bincount(test).double() / len(test)
    entropy = float(in_units(-torch.xlogy(shares, shares).sum(), statistics.estimation.settings.units))
    yield _value("label_entropy", entropy, statistics.estimation.unit)
    yield _value("label_agreement", float((test == train).double().mean()), "1")


def _of_classes(table: Tensor, estimation: Estimation) -> Iterator[Value]:
    each = class_mutual_information(table, units=estimation.settings.units)
    for label, information in enumerate(each.tolist()):
        place: dict[str, str | int] = {"statistic": "class_information", "class": label}
        yield Value(place, information, unit=estimation.unit)


def _value(
    statistic: str,
    value: float,
    unit: str,
    status: str = "",
    error: float | None = None,
    ceiling: float | None = None,
) -> Value:
    return Value({"statistic": statistic, "class": ALL}, value, status, unit, error, ceiling)
