"""Labels for continuous inputs, so that what a layer tells about them can be counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from layerscope.functional.neighbors import nearest_neighbors
from layerscope.functional.points import check_points
from layerscope.functional.symmetric import leading_eigenvectors

CLUSTERS, NEIGHBORS = 10, 10
DENSE = 4000  # points up to which all entries of the graph are decomposed


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
        Of the graph, a point among its own, so at least 2; all n when there are no more.
    seed : int
        Of the eigensolver's start vector.

    Returns
    -------
    Tensor (n,), int64
        Numbered in the order of first appearance; on the device of the inputs.

    Raises
    ------
    ValueError
        Inputs that are not finite; no, or more clusters than inputs; fewer than two neighbours.

    References
    ----------
    Damle, Minden, Ying (2019), Simple, direct, and efficient multi-way spectral clustering, Information and
    Inference 8(1).
    """
    points = inputs.flatten(start_dim=1) if inputs.ndim > 1 else inputs
    check_points(points)
    if not 1 <= clusters <= len(points):
        raise ValueError(f"{len(points)} inputs cannot form {clusters} clusters")
    if neighbors < 2:
        raise ValueError(f"a graph needs 2 neighbors or more, a point among its own, not {neighbors}")
    if clusters in (1, len(points)):
        return torch.arange(len(points), device=points.device) % clusters
    found = _spectral_clusters(points, clusters, min(neighbors, len(points)), seed)
    return _by_appearance(found).to(points.device)


def _spectral_clusters(points: Tensor, clusters: int, neighbors: int, seed: int) -> Tensor:
    """What scikit-learn's SpectralClustering gives, without the seconds that its import takes."""
    from scipy.linalg import qr  # slow to import

    vectors = _embedding(_graph(points, neighbors), clusters, seed)
    chosen = qr(vectors.T, mode="r", pivoting=True)[1][:clusters]
    left, _, right = np.linalg.svd(vectors[chosen].T, full_matrices=False)
    return torch.from_numpy(np.abs(vectors @ (left @ right)).argmax(axis=1)).long()


def _graph(points: Tensor, neighbors: int) -> Any:
    """Sparse matrix (n, n): 1 where both points are among the other's nearest, 1/2 where one is."""
    from scipy.sparse import csr_array  # slow to import

    _, nearest = nearest_neighbors(points, neighbors - 1)
    starts, ends = np.repeat(np.arange(len(points)), neighbors - 1), nearest.flatten().cpu().numpy()
    directed = csr_array((np.ones(len(ends)), (starts, ends)), shape=(len(points), len(points)))
    return (directed + directed.T) / 2


def _embedding(graph: Any, clusters: int, seed: int) -> npt.NDArray[np.float64]:
    """Leading eigenvectors (n, clusters) of the random walk on a graph."""
    from scipy.sparse import diags_array  # slow to import
    from scipy.sparse.linalg import eigsh

    scale = diags_array(1 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel()))
    walk = scale @ graph @ scale
    if graph.shape[0] <= DENSE:  # a Krylov space may miss copies of 1, one for every part of the graph
        vectors = leading_eigenvectors(torch.from_numpy(walk.toarray()), clusters).numpy()
    else:
        start = np.random.default_rng(seed).uniform(-1, 1, graph.shape[0])
        # The nearest to 2, around which the matrix can be inverted, are the largest.
        vectors = eigsh(walk.tocsc(), clusters, sigma=2.0, which="LM", v0=start)[1]
    found: npt.NDArray[np.float64] = scale @ vectors
    return found


def _by_appearance(labels: Tensor) -> Tensor:
    _, place = torch.unique(labels, return_inverse=True)
    positions = torch.arange(len(place), device=place.device)
    first = torch.full((int(place.max()) + 1,), len(place), device=place.device)
    first = first.scatter_reduce(0, place, positions, "amin")
    return first.argsort().argsort()[place]
