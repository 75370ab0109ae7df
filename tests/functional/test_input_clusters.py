"""Labels for inputs by clustering, and the names of spectra."""

import math

import pytest
import torch
from clouds import cloud
from sklearn.cluster import SpectralClustering
from sklearn.metrics import adjusted_rand_score

from layerscope.functional import cluster_inputs, gaussian_affinity, spectrum_key


def groups(count, size, distance):
    centers = distance * torch.eye(count, 6, dtype=torch.float64)
    return centers.repeat_interleave(size, dim=0) + cloud(0, count * size, 6)


@pytest.mark.parametrize("distance", [10.0, 1e6])  # a graph in one piece, and one in as many as clusters
def test_separate_groups_are_found_and_numbered_by_appearance(distance):
    found = cluster_inputs(groups(4, 30, distance), 4)
    assert found.tolist() == torch.arange(4).repeat_interleave(30).tolist()


def test_images_are_clustered_as_rows():
    points = groups(3, 20, 20.0)
    assert torch.equal(cluster_inputs(points.reshape(60, 1, 2, 3), 3), cluster_inputs(points, 3))


def test_equal_seeds_give_equal_labels():
    points = cloud(1, 120, 5)
    before = torch.random.get_rng_state()
    first, again = (cluster_inputs(points, 6, seed=4) for _ in range(2))
    assert torch.equal(first, again)
    assert torch.equal(before, torch.random.get_rng_state())
    assert len(first.unique()) == 6


def test_one_cluster_and_as_many_as_inputs_need_no_graph():
    points = cloud(1, 5, 2)
    assert cluster_inputs(points, 1).tolist() == [0] * 5
    assert cluster_inputs(points, 5).tolist() == [0, 1, 2, 3, 4]


def test_inputs_that_cannot_be_clustered_are_refused():
    with pytest.raises(ValueError, match="12 inputs cannot form 13 clusters"):
        cluster_inputs(cloud(1), 13)
    with pytest.raises(ValueError, match="12 inputs cannot form 0 clusters"):
        cluster_inputs(cloud(1), 0)
    with pytest.raises(ValueError, match="2 neighbors or more"):
        cluster_inputs(cloud(1), 3, neighbors=1)
    with pytest.raises(ValueError, match="not finite"):
        cluster_inputs(torch.full((12, 2), math.nan))


def test_the_clusters_are_those_of_scikit_learn():
    points = torch.cat([cloud(seed, 60, 4) * (1 + seed) for seed in range(3)])
    model = SpectralClustering(
        5, affinity="nearest_neighbors", n_neighbors=8, assign_labels="cluster_qr", random_state=0
    )
    wanted = torch.from_numpy(model.fit_predict(points.numpy()))
    assert adjusted_rand_score(wanted, cluster_inputs(points, 5, neighbors=8)) == 1.0


def test_a_key_changes_with_all_that_changes_a_spectrum():
    points = cloud(1, 80, 3)
    affinity = gaussian_affinity(points, 1.0)
    other = points.clone()
    other[40, 1] += 1e-9
    keys = [
        spectrum_key(affinity),
        spectrum_key(affinity, alpha=1.0),
        spectrum_key(affinity, method="lanczos"),
        spectrum_key(affinity, method="lanczos", seed=1),
        spectrum_key(affinity, method="lanczos", probes=8),
        spectrum_key(affinity, method="lanczos", steps=8),
        spectrum_key(gaussian_affinity(points, 1.0000001)),
        spectrum_key(gaussian_affinity(points, 1.0, precision="float32")),
        spectrum_key(gaussian_affinity(other, 1.0)),
        spectrum_key(gaussian_affinity(points.flip(0), 1.0)),
        spectrum_key(gaussian_affinity(points.reshape(40, 6), 1.0)),
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 64 for key in keys)


def test_a_key_ignores_what_changes_nothing():
    points = cloud(1, 80, 3)
    affinity = gaussian_affinity(points, "median")
    assert spectrum_key(affinity) == spectrum_key(gaussian_affinity(points, affinity.bandwidth))
    assert spectrum_key(affinity) == spectrum_key(affinity, method="exact", seed=3, probes=2)
    assert spectrum_key(affinity) == spectrum_key(gaussian_affinity(points, "median", memory=0))
