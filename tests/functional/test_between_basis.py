"""The between-class geometry: weights, centres and the directions of the class means."""

import math

import numpy as np
import pytest
import torch
from constructions import few, labelled, random_rotation, simplex
from hypothesis import given

from layerscope.functional import between_basis, centered, class_weights
from layerscope.functional.between import between_inverse


def test_weights_are_those_of_the_classes_or_of_the_samples():
    counts = torch.tensor([1, 3, 4])
    assert class_weights(counts, "balanced").tolist() == [1 / 3] * 3
    assert class_weights(counts, "sample").tolist() == [0.125, 0.375, 0.5]
    assert class_weights(counts, "sample").dtype == torch.float64


def test_an_unknown_weighting_is_named():
    with pytest.raises(ValueError, match="'balanced' or 'sample', not 'uniform'"):
        class_weights(torch.tensor([1, 2]), "uniform")


def test_centred_means_of_float32_are_float64():
    offsets, center = centered(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
    assert offsets.dtype == center.dtype == torch.float64
    assert center.tolist() == [2.0, 4.0]
    assert offsets.tolist() == [[-1.0, -2.0], [1.0, 2.0]]


@given(data=labelled)
@few
def test_the_basis_rebuilds_the_between_covariance(data):
    weights = class_weights(data.counts, "sample")
    basis = between_basis(data.means, weights)
    rows = data.means - weights @ data.means
    covariance = (rows.T * weights) @ rows
    rebuilt = basis.directions * basis.singular_values.square() @ basis.directions.T
    assert torch.allclose(rebuilt, covariance, rtol=0, atol=1e-11 * float(covariance.trace()))
    identity = torch.eye(basis.rank, dtype=torch.float64)
    assert torch.allclose(basis.directions.T @ basis.directions, identity, rtol=0, atol=1e-12)
    assert basis.singular_values.diff().le(0).all()
    assert basis.rank == min(len(data.means) - 1, data.means.shape[1]) == np.linalg.matrix_rank(rows.numpy())
    assert torch.allclose(basis.center, weights @ data.means)


@pytest.mark.parametrize(("classes", "dim"), [(5, 16), (3, 2), (10, 300)])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_a_simplex_spans_all_but_one_direction_evenly(classes, dim, offset):
    basis = between_basis(simplex(classes, dim) + offset)
    assert basis.rank == classes - 1
    expected = [1 / (classes - 1)] * (classes - 1)
    assert basis.singular_values.square().tolist() == pytest.approx(expected, rel=1e-8)


def test_more_classes_than_dimensions_span_every_dimension():
    assert between_basis(simplex(10, 9)[:, :4]).rank == 4


def test_means_on_a_line_far_from_the_origin_span_one_direction():
    line = torch.arange(6.0, dtype=torch.float64)[:, None] * random_rotation(8, 0)[0] + 1e5
    assert between_basis(line).rank == 1


def test_a_tolerance_drops_the_weaker_directions():
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1e-3], [0.0, -1e-3]], dtype=torch.float64)
    assert between_basis(means).rank == 2
    assert between_basis(means, tolerance=1e-2).rank == 1


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_span_nothing(classes):
    basis = between_basis(torch.ones(classes, 4))
    assert basis.rank == 0
    assert basis.directions.shape == (4, 0)


def test_the_centre_of_one_class_is_its_mean():
    assert between_basis(torch.full((1, 2), math.pi, dtype=torch.float64)).center.tolist() == [math.pi] * 2


def test_about_a_centre_elsewhere_all_means_count_and_about_a_rounded_one_they_do_not():
    means = torch.tensor([[1.0, 0, 0], [0, 1, 0]], dtype=torch.float64)
    elsewhere = between_basis(means, global_mean=torch.tensor([0.5, 0.5, 2.0]))
    offsets = means - torch.tensor([0.5, 0.5, 2.0])
    assert torch.allclose(elsewhere.singular_values, torch.linalg.svdvals(offsets / 2**0.5))
    rounded = (means + 1 / 3).mean(dim=0).float()
    assert between_basis(means + 1 / 3, global_mean=rounded).rank == 1


@pytest.mark.parametrize("center", [None, torch.full((6,), 0.5, dtype=torch.float64)])
def test_the_inverse_of_the_between_covariance_is_that_of_its_directions(center):
    means = torch.randn(20, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 3
    shares = torch.arange(1, 21, dtype=torch.float64) / 210
    basis = between_basis(means, shares, global_mean=center)
    expected = (basis.directions / basis.singular_values.square()) @ basis.directions.T
    found = between_inverse(means, shares, global_mean=center)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_no_inverse_is_given_where_directions_have_to_be_counted():
    draw = torch.Generator().manual_seed(0)
    means = torch.randn(20, 6, generator=draw, dtype=torch.float64)
    assert between_inverse(means[:6]) is None
    assert between_inverse(means[:7]) is not None
    flat = torch.randn(20, 4, generator=draw, dtype=torch.float64) @ means[:4]
    assert between_inverse(flat) is None
    uneven = means * torch.tensor([1, 1, 1, 1, 1, 1e-3], dtype=torch.float64)
    assert between_inverse(uneven) is None
    assert between_inverse(1e-16 * means + 1) is None
