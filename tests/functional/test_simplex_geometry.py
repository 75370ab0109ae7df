"""NC2: how close class means come to a simplex equiangular tight frame."""

import math

import collapse_reference as naive
import numpy as np
import pytest
import torch
from constructions import CHANGES, changed, few, labelled, random_labelled, simplex
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    class_weights,
    directionless,
    equiangularity,
    equinorm,
    etf_error,
    etf_floor,
)

WEIGHTINGS = ["balanced", "sample"]


def summary(data, weighting):
    weights = class_weights(data.counts, weighting)
    offset, spread = equiangularity(data.means, weights)
    return [equinorm(data.means, weights), offset, spread, etf_error(data.means, weights)]


@pytest.mark.parametrize(("classes", "dim"), [(2, 1), (3, 2), (5, 16), (10, 9), (10, 64), (100, 120)])
def test_a_simplex_has_no_error_wherever_it_lies(classes, dim):
    means = 3.0 * simplex(classes, dim, seed=1) + 50.0
    assert equinorm(means) < 1e-12
    assert max(equiangularity(means)) < 1e-12
    assert etf_error(means) < 1e-12
    assert etf_floor(classes, dim) == 0.0
    assert directionless(means) == 0


def test_moving_one_mean_of_a_simplex_shows_in_every_value():
    means = simplex(5, 8)
    means[0] *= 1.5
    assert min(equinorm(means), *equiangularity(means), etf_error(means)) > 1e-2


def test_a_square_has_the_values_done_by_hand():
    means = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]], dtype=torch.float64)
    # Four right angles and two straight ones: |0 + 1/3| four times, |-1 + 1/3| twice.
    assert equinorm(means) == 0.0
    assert equiangularity(means) == pytest.approx((4 / 9, math.sqrt(2 / 9)))
    assert etf_error(means) == pytest.approx(etf_floor(4, 2))


def test_lengths_three_one_two_have_the_spread_done_by_hand():
    means = torch.tensor([[3.0], [-1.0], [-2.0]], dtype=torch.float64)
    assert equinorm(means) == pytest.approx(math.sqrt(2 / 3) / 2)


def test_the_angle_offset_of_an_equinorm_set_that_is_no_simplex_is_not_zero():
    """The signed mean vanishes for every centred equinorm set; the mean of the sizes must not."""
    half = torch.nn.functional.normalize(random_labelled(0, [1] * 5, 50).features, dim=1)
    means = torch.cat([half, -half])
    assert equinorm(means) < 1e-12
    cosines = np.array(naive.cosines(means.numpy(), np.full(10, 0.1)))
    assert abs(np.mean(cosines + 1 / 9)) < 1e-12
    assert equiangularity(means)[0] > 0.1


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@given(data=labelled)
@few
def test_values_are_those_of_the_definitions(weighting, data):
    weights = naive.weights_of(data.labels.numpy(), weighting)
    means = naive.class_means(data.features.numpy(), data.labels.numpy())
    lengths = [math.dist(mean, weights @ means) for mean in means]
    cosines = np.array(naive.cosines(means, weights))
    expected = [
        np.std(lengths) / np.mean(lengths),
        np.mean(np.abs(cosines + 1 / (len(means) - 1))),
        np.std(cosines),
        naive.etf_error(means, weights),
    ]
    assert summary(data, weighting) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("change", CHANGES)
@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_geometry_does_not_depend_on_the_coordinates_the_names_or_the_order(weighting, change, data, seed):
    expected = summary(data, weighting)
    assert summary(changed(change, data, seed), weighting) == pytest.approx(expected, rel=1e-9)


@given(data=labelled)
@few
def test_geometry_stays_in_its_range(data):
    classes, dim = data.means.shape
    assert 0.0 <= equinorm(data.means) <= math.sqrt(classes - 1)
    assert 0.0 <= equiangularity(data.means)[0] <= 2.0
    assert etf_floor(classes, dim) - 1e-12 <= etf_error(data.means) <= math.sqrt(2)


@pytest.mark.parametrize(
    ("classes", "dim", "floor"), [(10, 4, 0.8165), (3, 1, 0.7654), (11, 10, 0.0), (2, 1, 0.0)]
)
def test_the_floor_is_that_of_the_closed_form(classes, dim, floor):
    assert etf_floor(classes, dim) == pytest.approx(floor, abs=1e-4)


@pytest.mark.parametrize(("classes", "dim"), [(10, 4), (7, 2), (12, 6)])
def test_a_tight_frame_of_too_many_classes_reaches_the_floor(classes, dim):
    angles = 2 * math.pi * torch.arange(classes, dtype=torch.float64) / classes
    waves = [wave(angles * k) for k in range(1, dim // 2 + 1) for wave in (torch.cos, torch.sin)]
    assert etf_error(torch.stack(waves, dim=1)) == pytest.approx(etf_floor(classes, dim), rel=1e-10)


@pytest.mark.parametrize("dim", [1, 5])
def test_two_equally_weighted_classes_are_always_a_simplex(dim):
    means = random_labelled(0, [3, 3], dim, offset=10.0).means
    assert equinorm(means) < 1e-12
    assert equiangularity(means) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert etf_error(means) < 1e-12


def test_classes_on_a_line_have_cosines_of_one_and_minus_one():
    means = torch.tensor([[-2.0], [-1.0], [3.0]], dtype=torch.float64)
    cosines = [1.0, -1.0, -1.0]
    offset, spread = equiangularity(means)
    assert offset == pytest.approx(np.mean([abs(c + 1 / 2) for c in cosines]))
    assert spread == pytest.approx(np.std(cosines))


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("offset", [0.1, 1e6 + 0.1])
@pytest.mark.parametrize("dim", [1, 1000])
@pytest.mark.parametrize("classes", [2, 6, 100])
def test_coincident_means_have_no_geometry(weighting, classes, dim, offset):
    means = torch.full((classes, dim), offset, dtype=torch.float64)
    weights = class_weights(torch.arange(1, classes + 1), weighting)
    values = [equinorm(means, weights), *equiangularity(means, weights), etf_error(means, weights)]
    assert all(math.isnan(value) for value in values)
    assert directionless(means, weights) == classes


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_have_no_geometry(classes):
    means = torch.ones(classes, 3, dtype=torch.float64)
    values = [equinorm(means), *equiangularity(means), etf_error(means), etf_floor(classes, 3)]
    assert all(math.isnan(value) for value in values)


@pytest.mark.parametrize("dim", [1, 4, 1000])
@pytest.mark.parametrize("offset", [0.0, 0.1, 1e6 + 0.1])
def test_a_mean_at_the_centre_has_no_direction_and_its_pairs_are_left_out(dim, offset):
    direction = torch.linspace(0.5, 1.5, dim, dtype=torch.float64)
    means = torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)[:, None] * direction + offset
    assert directionless(means) == 1
    assert equiangularity(means) == pytest.approx((0.5, 0.0), abs=1e-9)  # one pair, cosine -1; 1/(K-1) = 1/2


def test_weights_move_the_centre():
    means = torch.tensor([[0.0, 0.0], [4.0, 0.0]], dtype=torch.float64)
    weights = torch.tensor([0.75, 0.25], dtype=torch.float64)  # centre at 1: lengths 1 and 3
    assert equinorm(means, weights) == pytest.approx(0.5)


def test_a_weight_for_every_mean_is_needed():
    with pytest.raises(ValueError, match="4 class means need as many weights"):
        etf_error(torch.randn(4, 3), torch.full((5,), 0.2))


def test_weights_that_are_no_shares_are_refused():
    with pytest.raises(ValueError, match="must sum to 1, not 4"):
        etf_error(torch.randn(4, 3), torch.ones(4))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_mean_that_is_not_finite_is_refused_and_never_left_out(bad):
    means = torch.eye(4, 3)
    means[2, 1] = bad
    for measure in (equinorm, equiangularity, etf_error):
        with pytest.raises(ValueError, match="1 of 4 class means are not finite"):
            measure(means)
