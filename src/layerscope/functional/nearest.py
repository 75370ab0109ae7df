"""NC4: decisions by the nearest class mean."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from layerscope.functional.pairs import TILE
from layerscope.functional.points import check_labels, check_points

TIE = 1e-14  # scores closer than this, relative to the sizes that make them, are a tie


def nearest_class(points: Tensor, means: Tensor) -> tuple[Tensor, Tensor]:
    r"""Index of the nearest mean, :math:`\arg\min_c |h - \mu_c|`, in float64.

    Distances are compared about the mean of the means, so that a common offset costs nothing, in tiles of
    samples. Ties go to the lowest index.

    Parameters
    ----------
    points : Tensor (N, D)
    means : Tensor (K, D)

    Returns
    -------
    nearest : Tensor (N,), int64
    tied : Tensor (N,), bool
        Whether another mean was equally near.

    Raises
    ------
    ValueError
        There are no means, they have other features than the points, or either is not finite.
    """
    if len(means) == 0:
        raise ValueError("there are no class means to be near to")
    check_points(points)
    check_points(means, "class means")
    if points.shape[1] != means.shape[1]:
        raise ValueError(f"points of {points.shape[1]} features cannot be near means of {means.shape[1]}")
    middle = means.double().mean(dim=0)
    centers = means.double() - middle
    height = max(1, TILE // len(means))
    found = [decide_nearest(part.double() - middle, centers) for part in torch.split(points, height)]
    nearest, tied = zip(*found, strict=True)
    return torch.cat(nearest), torch.cat(tied)


def decide_nearest(points: Tensor, centers: Tensor) -> tuple[Tensor, Tensor]:
    """Nearest of ``centers`` (K, D) to float64 points (m, D), the lowest of those within rounding; ties."""
    scores = center_scores(points, centers)
    lengths = torch.linalg.vector_norm(centers, dim=1)
    sizes = torch.linalg.vector_norm(points, dim=1, keepdim=True)
    slack = TIE * lengths * (sizes + lengths)  # (m, K)
    highest, best = scores.max(dim=1, keepdim=True)
    among_best = scores + slack >= highest - slack.gather(1, best)
    return among_best.int().argmax(dim=1), among_best.sum(dim=1) > 1


def center_scores(points: Tensor, centers: Tensor) -> Tensor:
    """:math:`2 z·m_c - |m_c|^2` (m, K): the higher, the nearer."""
    return torch.addmm(-centers.square().sum(dim=1), points, centers.T, alpha=2.0)


def ncc_accuracy(points: Tensor, labels: Tensor, means: Tensor, *, balanced: bool = False) -> float:
    """Share of samples whose nearest class mean is that of their label.

    Parameters
    ----------
    points : Tensor (N, D)
    labels : Tensor (N,)
        Indices into ``means``.
    means : Tensor (K, D)
        Those of the train split, whatever split the points are from.
    balanced : bool
        Mean over the classes that have samples of the share within the class.

    Raises
    ------
    ValueError
        What :func:`nearest_class` refuses, or labels that are not one index into ``means`` per point.
    """
    check_labels(labels, len(points), len(means))
    right = nearest_class(points, means)[0] == labels
    return _share(right, labels if balanced else None)


def ncc_agreement(points: Tensor, decisions: Tensor, means: Tensor, *, labels: Tensor | None = None) -> float:
    """Share of samples whose nearest class mean is what the network decides, bias included.

    One minus it is the NC4 of Papyan, Han, Donoho (2020).

    Parameters
    ----------
    points : Tensor (N, D)
    decisions : Tensor (N,)
        ``logits.argmax(dim=1)`` of the real network.
    means : Tensor (K, D)
    labels : Tensor (N,), optional
        For the mean over the classes that have samples of the share within the class.

    Raises
    ------
    ValueError
        What :func:`nearest_class` refuses, or decisions or labels that are not one index per point.
    """
    check_labels(decisions, len(points), len(means), "decisions")
    if labels is not None:
        check_labels(labels, len(points))
    return _share(nearest_class(points, means)[0] == decisions, labels)


def _share(hits: Tensor, labels: Tensor | None) -> float:
    """Share of hits, of all samples or as a mean over the classes of ``labels``; NaN without samples."""
    if not len(hits):
        return math.nan
    if labels is None:
        return float(hits.double().mean())
    counts = torch.bincount(labels).double()
    shares = torch.bincount(labels, weights=hits.double(), minlength=len(counts)) / counts
    return float(shares[counts > 0].mean())
