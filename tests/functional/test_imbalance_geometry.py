"""Drift, minority collapse and SELI: what is known in closed form, and what nothing may change."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    class_groups,
    cosine_between,
    drift_gap,
    drift_norm,
    drift_prior,
    drift_relative,
    etf_distances,
    etf_error,
    group_cosine,
    norm_ratio,
    seli_error,
    seli_grams,
    weight_drift,
)


def gaussian(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def rotation(dim, seed=1):
    return torch.linalg.qr(gaussian(dim, dim, seed=seed)).Q


def simplex(classes, dim):
    vertices = math.sqrt(classes / (classes - 1)) * (torch.eye(classes, dtype=torch.float64) - 1 / classes)
    return vertices @ rotation(dim)[:classes]


def near(value, **options):
    return pytest.approx(value, **{"rel": 1e-12, "abs": 1e-12, **options})


@pytest.mark.parametrize("classes", [2, 5, 10])
def test_a_centred_etf_does_not_drift(classes):
    means = 3.0 * simplex(classes, 12)
    assert drift_norm(means) == near(0)
    assert drift_relative(means) == near(0)
    assert etf_distances(means).tolist() == near([0.0] * classes)


def test_a_common_offset_is_the_drift():
    means, offset = simplex(5, 8), gaussian(8)
    assert drift_norm(means + offset) == near(float(offset.norm()))
    assert drift_relative(means + offset) == near(float(offset.norm()))  # vertices have length 1


def test_two_classes_of_ninety_and_ten_samples():
    means, counts = torch.tensor([[0.0], [1.0]], dtype=torch.float64), torch.tensor([90, 10])
    assert drift_norm(means) == near(0.5)
    assert drift_gap(means, counts) == near(0.4)
    assert drift_relative(means) == near(1.0)


def test_classes_of_equal_size_leave_no_gap():
    assert drift_gap(1e6 + gaussian(7, 3), torch.full((7,), 11)) == 0.0


@given(st.floats(1e-3, 1e3), st.integers(0, 50))
def test_drift_turns_with_the_features_and_scales_with_them(scale, seed):
    means, counts = 1 + gaussian(4, 6, seed=seed), torch.tensor([40, 20, 10, 5])
    turned = scale * means @ rotation(6, seed + 1)
    assert drift_norm(turned) == near(scale * drift_norm(means), rel=1e-10)
    assert drift_gap(turned, counts) == near(scale * drift_gap(means, counts), rel=1e-10)
    assert drift_relative(turned) == near(drift_relative(means), rel=1e-10)
    assert etf_distances(turned).tolist() == near(etf_distances(means).tolist(), rel=1e-7)


def test_no_other_turn_of_the_simplex_comes_closer():
    means = gaussian(4, 5)
    offsets = means - means.mean(dim=0)
    scaled = offsets / offsets.square().sum(dim=1).mean().sqrt()
    best = float(etf_distances(means).square().sum())
    others = [float((scaled - simplex(4, 5) @ rotation(5, seed)).square().sum()) for seed in range(200)]
    assert best <= min(others)


def test_means_that_span_too_little_have_no_closest_etf():
    assert etf_distances(gaussian(5, 3)) is None
    assert etf_distances(torch.ones(3, 8)) is None


def test_a_centre_that_carries_the_prior_has_slope_one():
    counts = torch.tensor([500, 120, 30, 7])
    weight, center = torch.eye(4, dtype=torch.float64), counts.double().log() + 3.0
    slope, r2 = drift_prior(center, weight, counts)
    assert (slope, r2) == (near(1.0), near(1.0))
    assert drift_prior(2 * center, weight, counts)[0] == near(2.0)


def test_equal_classes_have_no_prior_to_carry():
    assert all(map(math.isnan, drift_prior(gaussian(4), gaussian(3, 4), torch.tensor([5, 5, 5]))))


def test_the_rows_of_a_classifier_drift_like_means():
    rows = simplex(4, 6) + 2.0
    assert weight_drift(rows) == (near(2 * math.sqrt(6)), near(2 * math.sqrt(6)))


@pytest.mark.parametrize(
    ("classes", "sizes"),
    [(1, (0, 0, 1)), (2, (1, 0, 1)), (3, (1, 1, 1)), (10, (3, 3, 4)), (100, (33, 33, 34))],
)
def test_thirds_put_the_rounding_into_the_tail(classes, sizes):
    groups = class_groups(torch.arange(classes, 0, -1))
    assert tuple(map(len, groups.values())) == sizes
    assert torch.cat(list(groups.values())).tolist() == list(range(classes))


def test_of_equal_classes_the_later_ones_are_the_tail():
    assert class_groups(torch.full((6,), 9))["tail"].tolist() == [4, 5]


def test_shots_are_more_than_a_hundred_and_fewer_than_twenty():
    groups = class_groups(torch.tensor([101, 100, 20, 19, 5000, 0]), "shots")
    assert {name: members.tolist() for name, members in groups.items()} == {
        "head": [0, 4], "mid": [1, 2], "tail": [3, 5],
    }  # fmt: skip


@given(st.permutations(range(7)))
def test_groups_follow_their_classes_when_these_are_renumbered(order):
    counts, order = torch.tensor([70, 60, 50, 40, 30, 20, 10]), torch.tensor(order)
    tail = class_groups(counts[order])["tail"]
    assert sorted(order[tail].tolist()) == [4, 5, 6]


@pytest.mark.parametrize("classes", [3, 10])
def test_vectors_of_an_etf_keep_their_angles(classes):
    rows = 2.0 * simplex(classes, 12)
    assert group_cosine(rows[1:]) == near(-1 / (classes - 1))
    cosine, angle = cosine_between(rows[:1], rows[1:])
    assert (cosine, angle) == (near(-1 / (classes - 1)), near(math.degrees(math.acos(-1 / (classes - 1)))))
    assert norm_ratio(rows[:1], rows[1:]) == near(1.0)


def test_collapsed_vectors_have_cosine_one():
    row = gaussian(1, 5)
    assert group_cosine(torch.cat([row, 2 * row, 0.1 * row])) == near(1.0)
    assert norm_ratio(3 * row, row) == near(3.0)


def test_a_group_of_one_and_vectors_without_direction_are_undefined():
    assert math.isnan(group_cosine(gaussian(1, 3)))
    assert math.isnan(group_cosine(torch.zeros(2, 3)))
    assert all(map(math.isnan, cosine_between(gaussian(0, 3), gaussian(2, 3))))
    assert math.isnan(norm_ratio(gaussian(0, 3), gaussian(2, 3)))
    assert norm_ratio(gaussian(1, 3), torch.zeros(1, 3)) == math.inf


def test_equal_classes_make_seli_the_etf():
    for gram in seli_grams(torch.full((6,), 13)):
        assert seli_error(gaussian(6, 9), gram) == near(etf_error(gaussian(6, 9)))
        assert seli_error(simplex(6, 9), gram) == near(0)


def test_the_geometry_itself_has_no_error_and_frequent_classes_have_longer_rows_and_shorter_means():
    counts = torch.tensor([100, 30, 9, 2])
    for gram, sign in zip(seli_grams(counts), (1, -1), strict=True):
        values, vectors = torch.linalg.eigh(gram)
        embedded = vectors * values.clamp(min=0).sqrt()  # a configuration whose Gram matrix it is
        assert seli_error(embedded @ rotation(4) + gaussian(4), gram) == near(0, abs=1e-7)
        assert (sign * gram.diagonal().diff() > 0).all()


def test_vectors_that_coincide_have_no_geometry():
    assert math.isnan(seli_error(torch.ones(3, 4), seli_grams(torch.tensor([3, 2, 1]))[0]))
    assert math.isnan(seli_error(torch.ones(1, 4), torch.ones(1, 1)))
