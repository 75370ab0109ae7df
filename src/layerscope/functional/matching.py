"""Which point goes with which: nearest by cosine, in blocks, or one to one within classes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from layerscope.functional.pairs import TILE

TIE = 1e-12  # cosines closer than this are equal


class Matches(NamedTuple):
    """Pairs of a query and a point, by query.

    Attributes
    ----------
    queries, points : Tensor (P,), int64
        Rows.
    cosines : Tensor (P,), float64
    """

    queries: Tensor
    points: Tensor
    cosines: Tensor


def nearest_matches(queries: Tensor, points: Tensor, labels: tuple[Tensor, Tensor] | None = None) -> Matches:
    """The point of the largest cosine for every query; ties go to the lowest row.

    Several queries may have the same point. A vector of length 0 has cosine 0 with everything.

    Parameters
    ----------
    queries : Tensor (m, d)
    points : Tensor (n, d)
    labels : tuple of Tensor (m,) and (n,), optional
        Of queries and points; then only points of the query's label are candidates.

    Raises
    ------
    ValueError
        Other widths, no points, or a query whose label no point has.
    """
    left, right = _directions(queries, points)
    if labels is not None:
        _refuse_missing(*labels)
    rows = torch.arange(len(left), device=left.device)
    found = [_nearest(left, right, labels, some) for some in torch.split(rows, max(1, TILE // len(right)))]
    best, cosines = (torch.cat(part) for part in zip(*found, strict=True))
    return Matches(rows, best, cosines)


def assigned_matches(queries: Tensor, points: Tensor, labels: tuple[Tensor, Tensor]) -> Matches:
    """One-to-one pairs within every label whose cosines have the largest sum (Hungarian method).

    These are no nearest neighbours. Where a label has fewer points than queries, some queries have no pair;
    labels that only one side has have none.

    Parameters
    ----------
    queries, points, labels
        As of :func:`nearest_matches`.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import

    left, right = _directions(queries, points)
    chosen = []
    for label in labels[0].unique().tolist():  # type: ignore[no-untyped-call]
        mine, theirs = ((part == label).nonzero().squeeze(1) for part in labels)
        cosines = left[mine] @ right[theirs].T
        row, column = (torch.from_numpy(each) for each in linear_sum_assignment(cosines.cpu(), maximize=True))
        row, column = row.to(left.device), column.to(left.device)
        chosen.append((mine[row], theirs[column], cosines[row, column]))
    pairs = [torch.cat(part) for part in zip(*chosen, strict=True)]
    order = pairs[0].argsort()
    return Matches(*(part[order] for part in pairs))


def _nearest(
    left: Tensor, right: Tensor, labels: tuple[Tensor, Tensor] | None, rows: Tensor
) -> tuple[Tensor, Tensor]:
    cosines = left[rows] @ right.T
    if labels is not None:
        cosines.masked_fill_(labels[0][rows].unsqueeze(1) != labels[1], -torch.inf)
    highest = cosines.amax(dim=1, keepdim=True)
    best = (cosines >= highest - TIE).byte().argmax(dim=1)  # the first of the ones
    return best, cosines.gather(1, best.unsqueeze(1)).squeeze(1)


def _directions(queries: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    if queries.ndim != 2 or points.ndim != 2 or queries.shape[1] != points.shape[1] or len(points) == 0:
        raise ValueError(
            f"queries and points must be (m, d) and (n, d), n > 0, not {tuple(queries.shape)} and "
            f"{tuple(points.shape)}"
        )
    return _unit(queries), _unit(points)


def _unit(points: Tensor) -> Tensor:
    values = points.double()
    lengths = torch.linalg.vector_norm(values, dim=1, keepdim=True)
    return values / torch.where(lengths > 0, lengths, 1.0)


def _refuse_missing(queries: Tensor, points: Tensor) -> None:
    missing = sorted(set(queries.tolist()) - set(points.tolist()))
    if missing:
        raise ValueError(f"no point has the labels {missing} of some queries")
