"""Measures of imbalance through the whole engine, on features given outright."""

from __future__ import annotations

import math

import numpy as np
import pytest

from .flat_world import around, behind, linear, measured, simplex

COUNTS = (30, 21, 12, 6, 3)


def features_of(means, counts, spread=0.0):
    labels = np.repeat(np.arange(len(counts)), counts)
    draw = np.random.default_rng(0)
    return means[labels] + spread * draw.standard_normal((len(labels), means.shape[1])), labels.tolist()


def test_who_always_says_the_first_class_is_right_on_a_tenth_and_never_in_the_tail():
    train = features_of(simplex(10, 12), range(20, 10, -1))
    test = features_of(simplex(10, 12), [5] * 10)
    always_first = linear(np.zeros((10, 12)), np.eye(10)[0])
    found = measured(train, test, classes=10, network=behind(always_first))

    def accuracy(group, rule="thirds"):
        return found("GroupAccuracy", "test", "logits", group=group, rule=rule)

    assert accuracy("overall", "none") == (0.1, "ok")
    assert accuracy("balanced", "none") == (0.1, "ok")
    assert accuracy("tail") == (0.0, "ok")
    assert accuracy("head")[0] == pytest.approx(1 / 3)
    assert accuracy("head", "shots") == (pytest.approx(math.nan, nan_ok=True), "undefined")
    assert found("ClassRecall", "test", "logits", **{"class": 0, "train_samples": 20}) == (1.0, "ok")
    assert found("ClassRecall", "test", "logits", **{"class": 9, "train_samples": 11}) == (0.0, "ok")


def test_a_shift_of_all_features_is_all_that_drifts():
    means = simplex(5, 8)
    found = measured(features_of(means + 2.0, COUNTS), classes=5)

    def drift(statistic, label=-1):
        return found("Drift", statistic=statistic, **{"class": label})[0]

    assert drift("norm") == pytest.approx(2 * math.sqrt(8))
    assert drift("relative") == pytest.approx(2 * math.sqrt(8))
    assert drift("etf") == pytest.approx(0, abs=1e-12)
    assert drift("etf", 4) == pytest.approx(0, abs=1e-12)
    shares = np.array(COUNTS) / sum(COUNTS)
    assert drift("gap") == pytest.approx(np.linalg.norm((shares - 0.2) @ means))


def test_what_is_inferred_says_so():
    found = measured(around(simplex(4, 6), 0.1), classes=4)
    assert found("Drift", statistic="norm", provenance="inferred", **{"class": -1})[1] == "ok"
    assert found("Drift", statistic="gap", provenance="defined", **{"class": -1})[1] == "ok"
    rows = [row for name, row in found.rows if name == "GroupAccuracy"]
    assert {row["provenance"] for row in rows if row["rule"] == "thirds"} == {"inferred"}
    assert {row["provenance"] for row in rows if row["rule"] == "shots"} == {"published"}


def test_a_test_split_that_lies_elsewhere_has_moved_that_far():
    means, step = simplex(5, 8), np.full(8, 0.5)
    train, test = features_of(means, COUNTS), features_of(means + step, (4, 4, 0, 4, 4))
    found = measured(train, test, classes=5)
    for label in (-1, 0, 4):
        value, _ = found("Drift", "test", statistic="train_test", **{"class": label})
        assert value == pytest.approx(0.5 * math.sqrt(8))


def test_a_classifier_whose_rare_rows_coincide_has_collapsed():
    rows = simplex(5, 8)
    rows[4] = rows[3]
    found = measured(features_of(simplex(5, 8), COUNTS), classes=5, network=behind(linear(3 * rows)))

    def collapse(split, vectors, statistic):
        return found("MinorityCollapse", split, vectors=vectors, statistic=statistic, rule="thirds")[0]

    assert collapse("weights", "weights", "tail_cosine") == pytest.approx(1.0)
    assert collapse("weights", "weights", "norm_ratio") == pytest.approx(1.0)
    assert collapse("train", "means", "tail_cosine") == pytest.approx(-0.25)
    assert collapse("train", "means", "head_tail_angle") == pytest.approx(math.degrees(math.acos(-0.25)))


def test_balanced_classes_have_the_error_of_an_etf():
    found = measured(around(simplex(5, 8), 0.1), classes=5, network=behind(linear(simplex(5, 8))))
    assert found("SELI", vectors="means")[0] == pytest.approx(
        found("ETF", statistic="etf_error")[0], abs=1e-12
    )
    assert found("SELI", "weights", vectors="weights")[0] == pytest.approx(0, abs=1e-12)


def test_a_class_that_was_never_seen_leaves_seli_undefined():
    found = measured(features_of(simplex(5, 8), (9, 9, 9, 9, 0)), classes=5)
    assert found("SELI", vectors="means")[1] == found("SELI", "weights", vectors="weights")[1] == "undefined"
