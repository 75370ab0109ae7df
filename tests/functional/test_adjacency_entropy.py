"""Spectral entropy of graphs of points."""

import math

import entropy_reference as reference
import numpy as np
import pytest
import torch
from clouds import cloud, clouds, far_groups
from constructions import few
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import adjacency_spectral_entropy, graph_spectrum, neighbor_graph


@given(points=clouds, sigma=st.floats(0.3, 3.0))
@few
def test_the_gaussian_graph_has_the_entropy_of_its_definition(points, sigma):
    found = adjacency_spectral_entropy(points, bandwidth=sigma)
    truth = reference.spectral_entropy(reference.kernel(points.numpy(), sigma))
    assert found == pytest.approx(truth, rel=1e-6, abs=1e-6)


def test_large_groups_count_more_than_small_ones():
    found = adjacency_spectral_entropy(far_groups(2, 6), bandwidth=1.0)
    assert found == pytest.approx(reference.entropy([0.25, 0.75]))
    assert adjacency_spectral_entropy(far_groups(7), bandwidth=1.0) == pytest.approx(0.0, abs=1e-12)


def test_a_ring_has_the_spectrum_of_a_circulant_matrix():
    angles = torch.arange(12, dtype=torch.float64) * 2 * math.pi / 12
    points = torch.stack([angles.cos(), angles.sin()], dim=1)
    values = np.abs(2 * np.cos(2 * np.pi * np.arange(12) / 12))
    found = adjacency_spectral_entropy(points, neighbors=2)
    assert found == pytest.approx(reference.entropy(values / values.sum()))


def test_the_neighbor_graph_is_symmetric_without_loops():
    points = torch.tensor([[0.0], [1.0], [10.0]])
    graph = neighbor_graph(points, 1)  # the third joins the second, which would not join it
    assert graph.tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    assert neighbor_graph(cloud(1), 3).sum(dim=1).min() >= 3


def test_the_other_convention_is_directed_and_counts_the_point_itself():
    points = torch.tensor([[0.0], [1.0], [10.0]])
    assert neighbor_graph(points, 2, "dse").tolist() == [[1, 1, 0], [1, 1, 0], [0, 1, 1]]
    assert neighbor_graph(points, 1, "dse").tolist() == torch.eye(3).tolist()
    assert graph_spectrum(neighbor_graph(points, 2, "dse")).values.tolist() == pytest.approx([2, 1, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"neighbors": 12}, "12 points have no 12 nearest neighbors"),
        ({"neighbors": 3, "convention": "none"}, "'symmetric' or 'dse', not 'none'"),
        ({"units": "none"}, "'nats' or 'bits'"),
    ],
)
def test_what_cannot_be_meant_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        adjacency_spectral_entropy(cloud(1), **arguments)
