"""DiscreteMI and JointPMF: what the decision on a test image says about that on the train image like it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from layerscope.functional.binned import entropy_of_counts
from layerscope.functional.discrete_information import (
    class_mutual_information,
    discrete_mutual_information,
    joint_counts,
)
from layerscope.functional.units import in_units
from layerscope.measures.accuracy import logits_subject
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because, singletons_of
from layerscope.measures.estimation import Estimation
from layerscope.measures.information.estimates import Estimate, Place, sized_values
from layerscope.pairing import ImagePairs

ALL = -1  # stands for every class where one is asked for
BOTH = ("train", "test")


class DiscreteMI:
    r"""Mutual information of the network's decisions on paired test and train images.

    Qualifiers ``statistic``: ``information`` (plug-in, ``ceiling`` the smaller of the two entropies),
    ``miller_madow`` (minus its first-order bias), ``null_mean``, ``null_quantile`` (95 %) and ``p_value`` of
    pairs that are broken up at random, ``test_entropy``, ``train_entropy`` (of the decisions; ``ceiling``
    ln K), ``label_entropy`` (H(Y) of the paired test images), ``agreement``, ``label_agreement`` (shares of
    pairs with the same decision, the same label), and ``class_information`` of a test decision, whose mean
    over the decisions is ``information``; ``class``: that decision, -1 for all; ``n``: pairs, all of them and
    the smaller parts of ``Measurements.n-grid``. ``error`` is that of half samples
    (``Measurements.repeats``), else, of ``information``, the asymptotic one. Rows stand at the logits of the
    test split. Degenerate when one side always decides the same; skipped when train or test split are not
    measured.
    """

    name = "DiscreteMI"
    qualifiers = ("statistic", "class", "n")
    needs = Need.DECISIONS | Need.PAIRS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Ten values, and one per class, for every number of pairs."""
        pairs = _measured_pairs(statistics)
        if pairs is None:
            place: dict[str, str | int] = {"statistic": "information", "class": ALL, "n": 0}
            yield nowhere(statistics), Value(place, math.nan, "skipped", statistics.estimation.unit)
            return
        decisions = PairedDecisions.of(statistics, pairs)
        subject = _subject(statistics, pairs)
        yield from sized_values(subject, decisions, self.qualifiers, _estimates, _of_decisions)


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
        subject, table = _subject(statistics, pairs), PairedDecisions.of(statistics, pairs).table
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
    counts = torch.bincount(statistics.labels["test"].cpu()[pairs.test])
    classes = int((counts > 0).sum())
    return replace(whole, samples=len(pairs.test), classes=classes, singletons=singletons_of(counts))


def nowhere(statistics: CheckpointStatistics) -> Subject:
    """Where rows stand that have nothing to speak about."""
    return Subject("test", "logits", len(statistics.layers), 0, 0, 0)


@dataclass(frozen=True, eq=False)
class PairedDecisions:
    """Decisions on paired images, and their labels.

    Attributes
    ----------
    test, train : Tensor (n,)
        Decisions on the two images of every pair.
    labels, train_labels : Tensor (n,)
        Of the test and of the train image.
    classes : int
    estimation : Estimation
    """

    test: Tensor
    train: Tensor
    labels: Tensor
    train_labels: Tensor
    classes: int
    estimation: Estimation

    @classmethod
    def of(cls, statistics: CheckpointStatistics, pairs: ImagePairs) -> PairedDecisions:
        """Those of a checkpoint."""

        def paired(values: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
            return values["test"].cpu()[pairs.test], values["train"].cpu()[pairs.train]

        classes = statistics.decisions["test"].num_classes
        return cls(*paired(statistics.decided), *paired(statistics.labels), classes, statistics.estimation)

    def __len__(self) -> int:
        return len(self.labels)

    def restricted(self, index: Tensor) -> PairedDecisions:
        """Only these of the pairs."""
        decided = self.test[index], self.train[index]
        labels = self.labels[index], self.train_labels[index]
        return PairedDecisions(*decided, *labels, self.classes, self.estimation)

    @cached_property
    def table(self) -> Tensor:
        """Counts (K, K) of decisions on the test image (rows) and on the train image (columns)."""
        return joint_counts(self.test, self.train, self.classes)


def _estimates(decisions: PairedDecisions) -> dict[Place, Estimate]:
    """Everything, what chance gives included."""
    return {**_of_decisions(decisions), **_of_chance(decisions)}


def _of_decisions(decisions: PairedDecisions) -> dict[Place, Estimate]:
    """What has a spread over random halves."""
    return {**_of_all(decisions), **_of_labels(decisions), **_of_classes(decisions)}


def _of_all(decisions: PairedDecisions) -> dict[Place, Estimate]:
    table, unit, units = decisions.table, decisions.estimation.unit, decisions.estimation.settings.units
    found = discrete_mutual_information(table, permutations=0, units=units)
    ceiling, reason = in_units(math.log(len(table)), units), because(constant=found.status == "degenerate")
    return {
        ("information", ALL): Estimate(found.value, unit, reason, found.error, found.bound),
        ("miller_madow", ALL): Estimate(found.miller_madow, unit, reason),
        ("test_entropy", ALL): Estimate(found.row_entropy, unit, ceiling=ceiling),
        ("train_entropy", ALL): Estimate(found.column_entropy, unit, ceiling=ceiling),
        ("agreement", ALL): Estimate(int(table.diagonal().sum()) / int(table.sum()), "1"),
    }


def _of_chance(decisions: PairedDecisions) -> dict[Place, Estimate]:
    estimation = decisions.estimation
    found = discrete_mutual_information(
        decisions.table,
        permutations=estimation.permutations,
        seed=estimation.seed,
        units=estimation.settings.units,
    )
    return {
        ("null_mean", ALL): Estimate(found.null_mean, estimation.unit),
        ("null_quantile", ALL): Estimate(found.null_quantile, estimation.unit),
        ("p_value", ALL): Estimate(found.p_value, "1"),
    }


def _of_labels(decisions: PairedDecisions) -> dict[Place, Estimate]:
    entropy = entropy_of_counts(decisions.labels.bincount())
    units = decisions.estimation.settings.units
    alike = float((decisions.labels == decisions.train_labels).double().mean())
    return {
        ("label_entropy", ALL): Estimate(in_units(entropy, units), decisions.estimation.unit),
        ("label_agreement", ALL): Estimate(alike, "1"),
    }


def _of_classes(decisions: PairedDecisions) -> dict[Place, Estimate]:
    each = class_mutual_information(decisions.table, units=decisions.estimation.settings.units)
    unit = decisions.estimation.unit
    return {
        ("class_information", label): Estimate(information, unit)
        for label, information in enumerate(each.tolist())
    }
