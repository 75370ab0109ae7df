"""VCI: 1 - tr(St⁺ Sb) / rank Sb."""

import math

import numpy as np
import pytest
import torch
from constructions import few, labelled, random_labelled, simplex, with_isotropic_noise
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import class_weights, vci, vci_from_rows
from layerscope.functional.vci import vci_from_total


def within_rows(data, weights):
    return (data.features - data.means[data.labels]) * (weights / data.counts)[data.labels].sqrt()[:, None]


@pytest.mark.parametrize("size", [0.1, 1.0])
def test_isotropic_noise_around_a_simplex_has_the_value_of_the_closed_form(size):
    classes, dim = 5, 9
    data = with_isotropic_noise(simplex(classes, dim), size)
    between, within = 1 / (classes - 1), size**2
    truth = 1 - between / (between + within)
    weights = class_weights(data.counts, "balanced")
    assert vci(data.within(weights), data.means) == pytest.approx(truth, rel=1e-11)
    assert vci_from_rows(within_rows(data, weights), data.means) == pytest.approx(truth, rel=1e-11)


def test_collapse_is_zero():
    assert vci(torch.zeros(6, 6), simplex(4, 6)) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("weighting", ["balanced", "sample"])
@given(data=labelled)
@few
def test_values_are_those_of_the_definition(weighting, data):
    weights = class_weights(data.counts, weighting)
    offsets = data.means - weights @ data.means
    between = ((offsets.T * weights) @ offsets).numpy()
    total = data.within(weights).numpy() + between
    rank = np.linalg.matrix_rank(between, tol=1e-9 * np.trace(between))
    truth = 1 - np.trace(np.linalg.pinv(total, rcond=1e-10) @ between) / rank
    assert vci(data.within(weights), data.means, weights) == pytest.approx(truth, rel=1e-6, abs=1e-9)
    found = vci_from_rows(within_rows(data, weights), data.means, weights)
    assert found == pytest.approx(truth, rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 1000))
@few
def test_no_invertible_map_changes_it(seed):
    data = random_labelled(seed, [20, 30, 25], 4)
    weights = class_weights(data.counts, "sample")
    stretch = torch.randn(4, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    stretch = stretch + 3 * torch.eye(4)
    moved = type(data)(data.features @ stretch.T + 2, data.labels)
    before = vci(data.within(weights), data.means, weights)
    assert vci(moved.within(weights), moved.means, weights) == pytest.approx(before, rel=1e-6)
    assert 0 <= before <= 1


@pytest.mark.parametrize("means", [torch.ones(1, 3), torch.full((4, 3), 0.1), torch.ones(0, 3)])
def test_means_that_coincide_have_none(means):
    assert math.isnan(vci(torch.eye(3), means))


def test_a_covariance_of_other_features_is_refused():
    with pytest.raises(ValueError, match="class means of 2 features do not go with a covariance"):
        vci(torch.eye(4), torch.randn(3, 2))


@pytest.mark.parametrize(
    ("size", "left_out"), [(10, 0), (10, 3), (100, 0), (100, 1), (100, 40), (100, 60), (100, 95)]
)
def test_the_index_of_a_total_is_its_definition_whatever_is_left_out(size: int, left_out: int) -> None:
    generator = torch.Generator().manual_seed(size + left_out)
    deviations = torch.logspace(0, -2, size, dtype=torch.float64)
    deviations[size - left_out :] = 1e-5
    basis = torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=generator))[0]
    between = torch.randn(5, size, dtype=torch.float64, generator=generator) @ (basis * deviations).T
    between -= between.mean(dim=0)
    total = (basis * deviations**2) @ basis.T + between.T @ between
    tolerance = 1e-7

    values, index, resolved = vci_from_total(total, between, 4, tolerance)

    expected, vectors = torch.linalg.eigh(total)
    kept = expected > tolerance
    inverse = (vectors[:, kept] / expected[kept]) @ vectors[:, kept].T
    assert index == pytest.approx(1 - float((inverse @ between.T @ between).trace()) / 4, abs=1e-9)
    assert resolved == bool(kept.all())
    torch.testing.assert_close(values, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [3, 80])
def test_a_total_without_any_variance_has_no_index(size: int) -> None:
    values, index, resolved = vci_from_total(torch.zeros(size, size).double(), torch.zeros(2, size), 0, 0.0)
    assert math.isnan(index)
    assert resolved
    assert torch.equal(values, torch.zeros(size).double())
