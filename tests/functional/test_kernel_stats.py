"""Generalised NC2: kernels of the directions of class means."""

import itertools
import math

import numpy as np
import pytest
import torch
from constructions import changed, few, labelled, random_labelled, simplex
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import kernel_stats

KERNELS = ["dist", "log", "riesz"]


def naive(means, kernel, power):
    rows = means - means.mean(axis=0)
    units = [row / math.sqrt(float(row @ row)) for row in rows]
    distances = [math.dist(a, b) for a, b in itertools.combinations(units, 2)]
    values = {
        "dist": distances,
        "log": [-math.log(d) for d in distances],
        "riesz": [d**-power for d in distances],
    }[kernel]
    return np.mean(values), np.var(values)


@pytest.mark.parametrize(("classes", "dim"), [(3, 2), (5, 16), (10, 12)])
def test_a_simplex_has_one_distance(classes, dim):
    means = 3 * simplex(classes, dim) + 7
    distance = math.sqrt(2 * classes / (classes - 1))
    truths = {"dist": distance, "log": -math.log(distance), "riesz": distance ** (2 - dim)}
    for kernel, truth in truths.items():
        found = kernel_stats(means, kernel)
        assert found.mean == pytest.approx(truth, rel=1e-12)
        assert found.variance == pytest.approx(0.0, abs=1e-24)
        assert (found.coincident, found.directionless) == (0, 0)


@pytest.mark.parametrize("kernel", KERNELS)
@given(data=labelled, power=st.floats(0.5, 4))
@few
def test_values_are_those_of_the_definition(kernel, data, power):
    found = kernel_stats(data.means, kernel, exponent=power)
    mean, variance = naive(data.means.numpy(), kernel, power)
    assert found.mean == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert found.variance == pytest.approx(variance, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("change", ["rotate", "shift", "scale", "relabel", "repeat", "pad", "reorder"])
@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_values_do_not_depend_on_the_coordinates(kernel, change, data, seed):
    expected = kernel_stats(data.means, kernel, exponent=1.0)
    found = kernel_stats(changed(change, data, seed).means, kernel, exponent=1.0)
    assert (found.mean, found.variance) == pytest.approx((expected.mean, expected.variance), rel=1e-7)


def test_the_exponent_is_the_dimension_minus_two_by_default():
    means = random_labelled(3, [1] * 6, 7).features
    assert kernel_stats(means, "riesz") == kernel_stats(means, "riesz", exponent=5.0)


def test_equal_directions_are_infinite_and_counted():
    means = torch.tensor([[1.0, 0.0], [2.0, 0.0], [-3.0, 0.0]], dtype=torch.float64)
    assert kernel_stats(means, "dist").mean == pytest.approx(4 / 3)
    for kernel in ("log", "riesz"):
        found = kernel_stats(means, kernel, exponent=1.0)
        assert (found.mean, found.coincident) == (math.inf, 1)


def test_a_mean_at_the_centre_is_left_out_and_counted():
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    found = kernel_stats(means, "dist")
    assert (found.mean, found.directionless) == (2.0, 1)


@pytest.mark.parametrize("means", [torch.ones(1, 3), torch.ones(0, 3), torch.full((4, 3), 0.1)])
def test_nothing_to_compare_is_undefined(means):
    assert all(math.isnan(kernel_stats(means, kernel).mean) for kernel in KERNELS)


def test_an_unknown_kernel_is_named():
    with pytest.raises(ValueError, match="'dist', 'log' or 'riesz', not 'cosine'"):
        kernel_stats(torch.ones(3, 2), "cosine")


def test_an_exponent_of_zero_or_less_is_never_infinite():
    plane = torch.tensor([[1.0, 0.0], [2.0, 0.0], [-3.0, 0.0]], dtype=torch.float64)
    assert (kernel_stats(plane, "riesz").mean, kernel_stats(plane, "riesz").variance) == (1.0, 0.0)
    line = kernel_stats(plane[:, :1], "riesz")  # distances to the power of one
    assert (line.mean, line.coincident) == (pytest.approx(4 / 3), 1)


def test_what_the_rounding_of_float32_can_make_is_no_direction():
    means = torch.tensor([[1.0, 0], [-1, 0], [1e-6, 0]], dtype=torch.float64) + 100
    assert kernel_stats(means, "dist").directionless == 0
    assert kernel_stats(means, "dist", precision=torch.float32).directionless == 1
