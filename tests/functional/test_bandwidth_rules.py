"""Bandwidths by rules."""

import math

import numpy as np
import pytest
import torch
from clouds import cloud, far_groups

from layerscope.functional import (
    bandwidth_of,
    diffusion_spectral_entropy,
    gaussian_affinity,
    nearest_neighbors,
)


def distances(points):
    return torch.linalg.vector_norm(points[:, None] - points[None], dim=2).numpy()


def test_rules_are_those_of_their_definitions():
    points = cloud(1, 31, 5)
    table = distances(points)
    pairs = table[np.triu_indices(31, k=1)]
    assert bandwidth_of(points, 2) == 2.0
    assert bandwidth_of(points, "median") == pytest.approx(np.median(pairs), rel=1e-12)
    assert bandwidth_of(points, "knn:4") == pytest.approx(np.median(np.sort(table, axis=1)[:, 4]), rel=1e-12)
    assert bandwidth_of(points, "sqrtD:0.5") == pytest.approx(0.5 * math.sqrt(5))


def test_beyond_two_thousand_points_a_seeded_subset_stands_for_all():
    points = cloud(2, 2100, 2)
    assert bandwidth_of(points, "median", seed=1) == bandwidth_of(points, "median", seed=1)
    assert bandwidth_of(points, "median", seed=1) != bandwidth_of(points, "median", seed=2)
    table = torch.cdist(points, points).numpy()
    exact = np.median(table[np.triu_indices(2100, k=1)])
    assert bandwidth_of(points, "median") == pytest.approx(exact, rel=0.02)
    nearest = np.median(np.partition(table, 3, axis=1)[:, 3])
    assert bandwidth_of(points, "knn:3") == pytest.approx(nearest, rel=0.02)


def test_no_rule_touches_the_global_generator():
    before = torch.random.get_rng_state()
    bandwidth_of(cloud(2, 2100, 2), "median")
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_bandwidth_of_zero_is_the_limit_in_which_only_equal_points_are_alike():
    points = far_groups(50, 3, 1)
    assert bandwidth_of(points, "median") == 0.0
    assert diffusion_spectral_entropy(points) == pytest.approx(math.log(3))
    assert bandwidth_of(points[:1], "median") == 0.0


@pytest.mark.parametrize("rule", [0, -1.0, math.nan, math.inf, "", "knn", "knn:x", "sqrtD:", "sqrtD:0", "2"])
def test_what_is_no_bandwidth_is_refused_with_the_known_ones(rule):
    with pytest.raises(ValueError, match=r"'median', 'knn:K' or 'sqrtD:C', not"):
        bandwidth_of(cloud(1), rule)


def test_more_neighbors_than_points_are_refused():
    with pytest.raises(ValueError, match="12 points have no 12 nearest neighbors"):
        bandwidth_of(cloud(1), "knn:12")


def test_nearest_neighbors_are_those_of_all_distances():
    points = cloud(7, 90, 3)
    table = distances(points) + np.diag(np.full(90, np.inf))
    found, which = nearest_neighbors(points, 5, torch.tensor([80, 3]))
    assert found.numpy() == pytest.approx(np.sort(table, axis=1)[[80, 3], :5], rel=1e-12)
    assert (which.numpy() == np.argsort(table, axis=1)[[80, 3], :5]).all()


def test_a_copy_of_a_point_is_a_neighbor_at_no_distance():
    points = cloud(7, 5, 3).repeat(2, 1)
    near, which = nearest_neighbors(points, 1)
    assert near.flatten().tolist() == [0.0] * 10
    assert which.flatten().tolist() == [5, 6, 7, 8, 9, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_tiles_hold_what_the_whole_matrix_holds(precision, monkeypatch):
    monkeypatch.setattr("layerscope.functional.pairs.TILE", 500)
    points = cloud(3, 70, 4)
    whole = gaussian_affinity(points, 1.5, precision=precision)
    tiled = gaussian_affinity(points, 1.5, precision=precision, memory=0)
    assert tiled.dense is None  # nothing is kept
    truth = torch.as_tensor(np.exp(-(distances(points) ** 2) / (2 * 1.5**2)))
    tolerance = 1e-13 if precision == "float64" else 1e-6
    assert whole.dense.double() == pytest.approx(truth, abs=tolerance)
    assert torch.equal(whole.dense, whole.dense.T)
    assert bool((whole.dense.diagonal() == 1).all())
    vectors = cloud(4, 70, 3)
    assert tiled.product(vectors).double() == pytest.approx(truth @ vectors, abs=100 * tolerance)
    index = torch.tensor([3, 60, 12])
    part = truth[index][:, index] @ vectors[:3]
    for affinity in (tiled, whole):
        assert affinity.restricted(index).product(vectors[:3]).double() == pytest.approx(
            part, abs=10 * tolerance
        )
