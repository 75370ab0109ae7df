"""Entropy of the eigenvalues of a graph of points, without a diffusion operator."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from layerscope.functional.affinity import Affinity, dense_affinity, gaussian_affinity
from layerscope.functional.eigenvalues import LEAST_POWER, Eigenvalues, spectral_entropy
from layerscope.functional.neighbors import nearest_neighbors
from layerscope.functional.rounding import rounding_floor
from layerscope.functional.units import Units

Convention = Literal["symmetric", "dse"]


def adjacency_spectral_entropy(
    points: Tensor,
    *,
    bandwidth: float | str = "median",
    neighbors: int | None = None,
    convention: Convention = "symmetric",
    units: Units = "nats",
    seed: int = 0,
) -> float:
    r"""Entropy :math:`-\sum a_i\ln a_i`, :math:`a_i = |\lambda_i|/\sum_j|\lambda_j|`, of an adjacency matrix.

    The graph is the Gaussian kernel of the points, or, with ``neighbors``, that of their nearest neighbours.

    Parameters
    ----------
    points : Tensor (n, D)
    bandwidth : float or str
        Of the Gaussian kernel; see :func:`bandwidth_of`.
    neighbors : int, optional
        k of the neighbour graph; the Gaussian kernel when omitted.
    convention : "symmetric" | "dse"
        Of the neighbour graph, see :func:`neighbor_graph`.
    units : "nats" | "bits"
    seed : int
        Of a bandwidth rule.

    Returns
    -------
    float
        In :math:`[0, \ln n]`; NaN for no points.
    """
    if neighbors is not None:
        return spectral_entropy(graph_spectrum(neighbor_graph(points, neighbors, convention)), units=units)
    return spectral_entropy(adjacency_spectrum(gaussian_affinity(points, bandwidth, seed=seed)), units=units)


def adjacency_spectrum(affinity: Affinity) -> Eigenvalues:
    """Eigenvalues of a Gaussian kernel itself; all n, whatever n is."""
    return graph_spectrum(dense_affinity(affinity))


def graph_spectrum(adjacency: Tensor) -> Eigenvalues:
    """Moduli of the eigenvalues of an adjacency matrix (n, n); complex ones, when it is not symmetric."""
    symmetric = bool((adjacency == adjacency.T).all())
    values = torch.linalg.eigvalsh(adjacency) if symmetric else torch.linalg.eigvals(adjacency)
    found = values.abs().double().sort(descending=True).values
    if not symmetric or adjacency.dtype != torch.float64:  # defective eigenvalues reproduce to 1e-5 only
        return Eigenvalues(len(found), found, least_power=1.0)
    return Eigenvalues(len(found), found, least_power=LEAST_POWER, floor=float(rounding_floor(found.flip(0))))


def neighbor_graph(points: Tensor, neighbors: int, convention: Convention = "symmetric") -> Tensor:
    """Adjacency matrix (n, n), float64, of the graph that joins points with their nearest neighbours.

    Parameters
    ----------
    points : Tensor (n, D)
    neighbors : int
        k.
    convention : "symmetric" | "dse"
        ``symmetric``: an edge wherever one of two points is among the k nearest others of the other.
        ``dse``: as in the ``dse-dsmi`` package, directed edges to the k nearest, the point itself among them.

    Raises
    ------
    ValueError
        Too few points for k, or an unknown convention.
    """
    if convention not in ("symmetric", "dse"):
        raise ValueError(f"convention must be 'symmetric' or 'dse', not {convention!r}")
    graph = torch.zeros(len(points), len(points), dtype=torch.float64, device=points.device)
    if convention == "symmetric":
        graph.scatter_(1, nearest_neighbors(points, neighbors)[1], 1.0)
        return torch.maximum(graph, graph.T)
    if neighbors > 1:
        graph.scatter_(1, nearest_neighbors(points, neighbors - 1)[1], 1.0)
    return graph.fill_diagonal_(1.0)
