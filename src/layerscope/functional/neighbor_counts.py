"""How many samples lie nearer than the k-th neighbour: the counts that KSG-like estimators are made of."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from layerscope.functional.distances import Metric, row_blocks

# Distances within this share of the radius are as far as the neighbour that sets it: rounding, which depends
# on how tiles are cut, decides nothing.
SLACK = 1e-9


class NeighborCounts(NamedTuple):
    """Counts (N,) around every sample, int64.

    Attributes
    ----------
    neighbors : Tensor
        k; where the k-th neighbour is in the same place, all samples in that place.
    x, y : Tensor
        Other samples that are nearer in the block than the k-th neighbour in both, strictly; where that one
        is in the same place, those that are there in the block.
    tied : Tensor, bool
        Where the k-th neighbour is in the same place.
    """

    neighbors: Tensor
    x: Tensor
    y: Tensor
    tied: Tensor


def neighbor_counts(x: Metric, y: Metric, k: Tensor) -> NeighborCounts:
    """Count the neighbours of every sample in each block, within the distance of its k-th joint neighbour.

    The joint distance is the larger of the two. No matrix of N×N is kept.

    Parameters
    ----------
    x, y : Metric
        Of the same N samples.
    k : Tensor (N,), int64
        In 1 … N-1.
    """
    found = [_trusted_counts(x, y, rows, k[rows]) for rows in row_blocks(len(k), k.device)]
    return NeighborCounts(*(torch.cat(part) for part in zip(*found, strict=True)))


def _trusted_counts(x: Metric, y: Metric, rows: Tensor, k: Tensor) -> NeighborCounts:
    """Counts for some samples; exact distances where the radius is too small for products to be trusted."""
    counts, radius = _counts(x(rows), y(rows), rows, k)
    doubtful = radius < torch.maximum(x.trusted_from(rows), y.trusted_from(rows))
    if bool(doubtful.any()):
        some = rows[doubtful]
        again, _ = _counts(x(some, exact=True), y(some, exact=True), some, k[doubtful])
        for old, new in zip(counts, again, strict=True):
            old[doubtful] = new
    return counts


def _counts(in_x: Tensor, in_y: Tensor, rows: Tensor, k: Tensor) -> tuple[NeighborCounts, Tensor]:
    """Counts around the samples ``rows``, and the radius (m,), from distances (m, N)."""
    for distances in (in_x, in_y):
        distances.scatter_(1, rows.unsqueeze(1), torch.inf)  # no sample is a neighbour of itself
    joint = torch.maximum(in_x, in_y)
    nearest = joint.topk(int(k.max()), dim=1, largest=False, sorted=True).values
    radius = nearest.gather(1, (k - 1).unsqueeze(1))
    tied = radius.squeeze(1) == 0
    limit = radius * (1 - SLACK)
    found = NeighborCounts(k.clone(), _count(in_x < limit), _count(in_y < limit), tied)
    if bool(tied.any()):
        for counts, distances in zip(found, (joint, in_x, in_y), strict=False):
            counts[tied] = _count(distances[tied] == 0)
        found.neighbors[tied] += 1  # and the sample itself
    return found, radius.squeeze(1)


def _count(cells: Tensor) -> Tensor:
    # Bytes are added several times faster than booleans.
    return cells.view(torch.uint8).sum(dim=1, dtype=torch.int32).long()
