"""Nearest class means, out-of-distribution means, NC layers, class weightings: small pure functions."""

import math

import pytest
import torch
from constructions import few, labelled, random_rotation, simplex
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    WEIGHTINGS,
    nc_layer,
    ncc_accuracy,
    ncc_agreement,
    nearest,
    nearest_class,
    ood_orthogonality,
    weights_by,
)


@given(data=labelled)
@few
def test_the_nearest_mean_is_that_of_the_smallest_distance(data):
    distances = torch.stack([(data.features - mean).norm(dim=1) for mean in data.means], dim=1)
    found, tied = nearest_class(data.features, data.means)
    assert torch.equal(found, distances.argmin(dim=1))
    assert not tied.any()
    right = found == data.labels
    assert ncc_accuracy(data.features, data.labels, data.means) == pytest.approx(float(right.double().mean()))
    shares = [right[data.labels == c].double().mean() for c in range(len(data.means))]
    balanced = ncc_accuracy(data.features, data.labels, data.means, balanced=True)
    assert balanced == pytest.approx(float(sum(shares) / len(shares)))
    assert ncc_agreement(data.features, found, data.means) == 1.0


@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_decisions_do_not_depend_on_the_coordinates(data, seed):
    expected, _ = nearest_class(data.features, data.means)
    turn = random_rotation(data.features.shape[1], seed)
    found, _ = nearest_class(7 * data.features @ turn + 100, 7 * data.means @ turn + 100)
    assert torch.equal(found, expected)


def test_tiles_change_nothing(monkeypatch):
    points, means = torch.randn(50, 3), torch.randn(9, 3)
    expected = nearest_class(points, means)[0]
    monkeypatch.setattr(nearest, "TILE", 20)
    assert torch.equal(nearest_class(points, means)[0], expected)


def test_ties_go_to_the_lowest_and_are_told():
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [5.0, 5.0]])
    found, tied = nearest_class(torch.tensor([[0.0, 2.0], [0.1, 0.0]]), means)
    assert (found.tolist(), tied.tolist()) == ([0, 0], [True, False])


def test_close_means_far_from_the_origin_are_told_apart():
    means = torch.full((2, 4), 1000.0, dtype=torch.float64)
    means[1, 0] += 0.05
    points = means.repeat(10, 1)
    assert ncc_accuracy(points, torch.arange(2).repeat(10), means) == 1.0


def test_no_means_and_no_points():
    with pytest.raises(ValueError, match="no class means"):
        nearest_class(torch.ones(2, 3), torch.ones(0, 3))
    assert math.isnan(ncc_agreement(torch.ones(0, 3), torch.zeros(0, dtype=torch.int64), torch.ones(2, 3)))


def test_agreement_of_balanced_classes_is_a_mean_over_those_that_have_samples():
    means = torch.tensor([[0.0], [10.0], [20.0]])
    points, labels = torch.tensor([[0.0], [1.0], [9.0], [10.0]]), torch.tensor([0, 0, 0, 1])
    decisions = torch.tensor([0, 0, 0, 1])
    assert ncc_agreement(points, decisions, means) == 3 / 4
    assert ncc_agreement(points, decisions, means, labels=labels) == pytest.approx((2 / 3 + 1) / 2)
    assert ncc_accuracy(points, labels, means, balanced=True) == pytest.approx((2 / 3 + 1) / 2)


def test_other_data_is_orthogonal_or_parallel():
    means = torch.eye(3, 5)
    away = torch.tensor([0.0, 0, 0, 2, 1])
    assert ood_orthogonality(means, away) == 0.0
    assert ood_orthogonality(means[:1], -3 * means[0]) == pytest.approx(1.0)
    assert ood_orthogonality(means, means.sum(dim=0)) == pytest.approx(1 / math.sqrt(3))


@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_orthogonality_knows_rotation_and_scale_but_not_shifts(data, seed):
    other = torch.randn(data.means.shape[1], generator=torch.Generator().manual_seed(seed)).double()
    expected = ood_orthogonality(data.means, other)
    cosines = [abs(float(m @ other / m.norm() / other.norm())) for m in data.means]
    assert expected == pytest.approx(sum(cosines) / len(cosines), rel=1e-10)
    turn = random_rotation(len(other), seed)
    assert ood_orthogonality(3 * data.means @ turn, 0.5 * other @ turn) == pytest.approx(expected, rel=1e-9)
    assert ood_orthogonality(data.means + 10, other + 10) != pytest.approx(expected, rel=1e-3)


def test_zero_means_have_no_angle_with_other_data():
    assert math.isnan(ood_orthogonality(torch.zeros(2, 3), torch.ones(3)))
    assert math.isnan(ood_orthogonality(torch.ones(2, 3), torch.zeros(3)))
    assert math.isnan(ood_orthogonality(torch.ones(0, 3), torch.ones(3)))
    with pytest.raises(ValueError, match="3 features cannot be compared with one of 2"):
        ood_orthogonality(torch.ones(2, 3), torch.ones(2))


@pytest.mark.parametrize(
    ("values", "first", "persistent"),
    [
        ([0.5, 0.3, 0.1, 0.05], 2, 2),
        ([0.5, 0.1, 0.3, 0.05], 1, 3),
        ([0.1, 0.5], 0, None),
        ([0.5, math.nan, math.inf], None, None),
        ([math.inf, 0.19999], 1, 1),
        ([0.2], None, None),
        ([], None, None),
    ],
)
def test_the_nc_layer_is_the_first_below_and_the_first_that_stays_below(values, first, persistent):
    assert nc_layer(values) == (first, persistent)


def test_a_threshold_moves_the_nc_layer():
    assert nc_layer([0.5, 0.3, 0.1], threshold=0.4) == (1, 1)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_all_weightings_and_presets_agree_on_balanced_classes(weighting):
    weights = weights_by(weighting, torch.tensor([7, 7, 7]))
    for part in (weights.within, weights.pooled, weights.between, weights.center):
        assert part.tolist() == pytest.approx([1 / 3] * 3)


def test_presets_mix_samples_and_classes_as_their_code_does():
    counts = torch.tensor([1, 3])
    kinds = {}
    for name in WEIGHTINGS:
        weights = weights_by(name, counts)
        parts = (weights.within, weights.pooled, weights.between, weights.center)
        kinds[name] = "".join("b" if part[0] == 0.5 else "s" for part in parts)
    assert kinds == {"balanced": "bbbb", "sample": "ssss", "papyan": "ssbs", "rnc": "ssbb", "inc": "bsbs"}


def test_an_unknown_weighting_lists_the_known_ones():
    with pytest.raises(ValueError, match="balanced, sample, papyan, rnc, inc, not 'zhu'"):
        weights_by("zhu", torch.tensor([1]))


def test_a_simplex_is_told_apart_by_its_own_means():
    means = simplex(4, 6)
    assert ncc_accuracy(means, torch.arange(4), means) == 1.0


@pytest.mark.parametrize(
    ("points", "means", "message"),
    [
        (torch.full((3, 2), math.nan), torch.eye(2), "6 entries of the points are not finite"),
        (torch.eye(2), torch.full((3, 2), math.inf), "6 entries of the class means are not finite"),
        (torch.eye(3), torch.eye(2), "points of 3 features cannot be near means of 2"),
    ],
)
def test_what_has_no_distance_is_refused(points, means, message):
    with pytest.raises(ValueError, match=message):
        nearest_class(points, means)


@pytest.mark.parametrize("labels", [[0], [0, 1, 2], [0, 7], [-1, 0]])
def test_labels_that_are_no_index_of_a_mean_for_each_point_are_refused(labels):
    with pytest.raises(ValueError, match="labels"):
        ncc_accuracy(torch.eye(2), torch.tensor(labels), torch.eye(2))
