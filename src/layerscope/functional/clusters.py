"""Labels for continuous inputs, so that what a layer tells about them can be counted."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from layerscope.functional.points import check_points

CLUSTERS, NEIGHBORS = 10, 10


def cluster_inputs(
    inputs: Tensor, clusters: int = CLUSTERS, *, neighbors: int = NEIGHBORS, seed: int = 0
) -> Tensor:
    """Labels (n,), int64, by spectral clustering of inputs; the Y of DSMI with the inputs.

    Of the graph of nearest neighbours, with cluster assignment by pivoted QR. Inputs of a run do not change:
    cluster them once, and use the labels for every layer and checkpoint.

    Parameters
    ----------
    inputs : Tensor (n, ...)
        Flattened here.
    clusters : int
        At most n.
    neighbors : int
        Of the graph, a point among its own; all n when there are no more.
    seed : int
        Of the eigensolver's start vector.

    Returns
    -------
    Tensor (n,), int64
        Numbered in the order of first appearance; on the device of the inputs.

    Raises
    ------
    ValueError
        Inputs that are not finite, or no, or more clusters than inputs.

    References
    ----------
    Damle, Minden, Ying (2019), Simple, direct, and efficient multi-way spectral clustering, Information and
    Inference 8(1).
    """
    points = inputs.flatten(start_dim=1) if inputs.ndim > 1 else inputs
    check_points(points)
    if not 1 <= clusters <= len(points):
        raise ValueError(f"{len(points)} inputs cannot form {clusters} clusters")
    if clusters in (1, len(points)):
        return torch.arange(len(points), device=points.device) % clusters
    found = _spectral_clusters(points, clusters, min(neighbors, len(points)), seed)
    return _by_appearance(found).to(points.device)


def _spectral_clusters(points: Tensor, clusters: int, neighbors: int, seed: int) -> Tensor:
    from sklearn.cluster import SpectralClustering  # takes a second to import

    model = SpectralClustering(
        clusters,
        affinity="nearest_neighbors",
        n_neighbors=neighbors,
        assign_labels="cluster_qr",
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Separate components are what one hopes for in clusters; the assignment copes with them.
        warnings.filterwarnings("ignore", message="Graph is not fully connected")
        return torch.as_tensor(model.fit_predict(points.double().cpu().numpy())).long()


def _by_appearance(labels: Tensor) -> Tensor:
    _, place = torch.unique(labels, return_inverse=True)
    positions = torch.arange(len(place), device=place.device)
    first = torch.full((int(place.max()) + 1,), len(place), device=place.device)
    first = first.scatter_reduce(0, place, positions, "amin")
    return first.argsort().argsort()[place]
