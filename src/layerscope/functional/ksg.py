"""Mutual information from nearest neighbours: KSG, its version for mixtures, and that for labels."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from layerscope.functional.blocks import block, paired_blocks
from layerscope.functional.distances import Norm, SameLabel, metric_of
from layerscope.functional.neighbor_counts import NeighborCounts, neighbor_counts
from layerscope.functional.units import Units, in_units

MANY_DIMENSIONS = 8  # beyond which neighbours are too far away for the estimate to mean much
NEAR_CEILING = 0.9


@dataclass(frozen=True, eq=False)
class NeighborInformation:
    """A nearest-neighbour estimate of mutual information.

    Attributes
    ----------
    value : float
        Mean of ``pointwise``; may be negative unless clipped.
    pointwise : Tensor (N,), float64
        What every sample contributes.
    ceiling : float
        What the estimator gives at most where distances are not tied, however strong the dependence:
        ψ(N) - ψ(k), which a copy of x reaches, or with labels ψ(N) - ⟨ψ(N_c)⟩, about the entropy of the
        labels. Where distances in the two blocks differ, however little, it is ψ(N) - ψ(k+1).
    tied : int
        Samples with k others in the very same place.
    reasons : tuple of str
        Why the value is fragile: ``ties`` (some samples are tied), ``constant`` (a block does not vary),
        ``dimensions`` (more than 8 in a block: much too low for strong dependence), ``ceiling`` (above 90 %
        of ψ(N) - ψ(k+1)), ``singletons`` (labels of one sample, left out).
    samples : int
    dims : tuple of int
        Columns of the blocks that vary; 0 for labels.
    units : str
    """

    value: float
    pointwise: Tensor
    ceiling: float
    tied: int
    reasons: tuple[str, ...]
    samples: int
    dims: tuple[int, int]
    units: Units

    @property
    def status(self) -> str:
        """``degenerate`` when there are ``reasons``, else ``ok``."""
        return "degenerate" if self.reasons else "ok"


def ksg_mutual_information(
    x: Tensor,
    y: Tensor,
    *,
    k: int = 3,
    norm: Norm = "euclidean",
    standardize: bool = True,
    clip: bool = False,
    units: Units = "nats",
) -> NeighborInformation:
    r"""Mutual information of two continuous blocks of variables by nearest neighbours.

    Estimator 1 of KSG: :math:`I = \langle \psi(k_i) + \psi(N) - \psi(n_{x,i}+1) - \psi(n_{y,i}+1) \rangle`,
    with :math:`k_i = k` and :math:`n_x` the other samples that are *strictly* nearer in x than the k-th
    neighbour in :math:`\max(|\Delta x|, |\Delta y|)`. Where that neighbour is in the same place (discrete
    variables, mixtures, repeated samples), :math:`k_i` counts the samples in this place, itself included, and
    :math:`n_x` the others at the same x, as in the program of Gao et al.; so it holds for mixtures, and no
    noise is added to break ties.

    Distances are compared in tiles of rows on the tensors' device, in O(N²(d_x+d_y)) operations and a few
    million numbers of memory. Differences of distances below a part in 10⁹ are ties.

    Parameters
    ----------
    x, y : Tensor (N,) or (N, d)
        Paired samples, floats.
    k : int
        Neighbours: more give less variance and more bias.
    norm : "euclidean" | "chebyshev"
        Within a block. Euclidean does not depend on rotations of a block.
    standardize : bool
        Give every column mean 0 and standard deviation 1 first. Constant columns are dropped either way.
    clip : bool
        Return at least 0, as some implementations do.
    units : "nats" | "bits"

    Raises
    ------
    ValueError
        No more samples than k; samples that are unpaired, not finite or no floats; an unknown word.

    References
    ----------
    Kraskov, Stögbauer, Grassberger (2004), arXiv:cond-mat/0305641, eq. 8; Gao, Kannan, Oh, Viswanath (2017),
    arXiv:1709.06212.
    """
    left, right = (part.values for part in paired_blocks(x, y, standardize=standardize))
    _refuse_few(len(left), k)
    dims = left.shape[1], right.shape[1]
    ceiling = _psi(len(left)) - _psi(k)
    if 0 in dims:
        return _constant(left, ceiling, dims, units)
    neighbors = torch.full((len(left),), k, device=left.device)
    counts = neighbor_counts(metric_of(left, norm), metric_of(right, norm), neighbors)
    found = _estimate(counts, ceiling, dims)
    near = found.tied == 0 and found.value > NEAR_CEILING * (_psi(len(left)) - _psi(k + 1))
    reasons = (*found.reasons, "ceiling") if near else found.reasons
    return _finished(replace(found, reasons=reasons), clip, units)


def label_mutual_information(
    x: Tensor,
    labels: Tensor,
    *,
    k: int = 3,
    norm: Norm = "euclidean",
    standardize: bool = True,
    clip: bool = False,
    units: Units = "nats",
) -> NeighborInformation:
    r"""Mutual information of a continuous block with labels by nearest neighbours.

    :math:`I = \psi(N) + \langle \psi(k_i) - \psi(N_{y_i}) - \psi(m_i+1) \rangle`, with :math:`m_i` the
    samples strictly nearer to i than its k-th neighbour *of the same label*, and
    :math:`k_i = \min(k, N_{y_i}-1)`. Labels of a single sample are left out. With ties it takes the mixed
    form of :func:`ksg_mutual_information`.

    Parameters
    ----------
    x : Tensor (N,) or (N, d)
    labels : Tensor (N,), integers
    k, norm, standardize, clip, units
        As of :func:`ksg_mutual_information`.

    Raises
    ------
    ValueError
        As of :func:`ksg_mutual_information`; labels that are no integers; no label with two samples.

    References
    ----------
    Ross (2014), Mutual information between discrete and continuous data sets, PLoS ONE 9(2), e87357.
    """
    _check_labels(x, labels)
    _, member, sizes = torch.unique(labels, return_inverse=True, return_counts=True)
    kept = sizes[member] > 1
    if not bool(kept.any()):
        raise ValueError("no label has two samples: nothing is known of how x varies within a label")
    points = block(x[kept], "x", standardize=standardize).values
    member, count = member[kept], sizes[member[kept]]
    _refuse_few(len(points), k)
    dims = points.shape[1], 0
    ceiling = _psi(len(points)) - float(torch.digamma(count.double()).mean())
    if points.shape[1] == 0:
        return _constant(points, ceiling, dims, units)
    neighbors = (count - 1).clamp(max=k)
    counts = neighbor_counts(metric_of(points, norm), SameLabel(member), neighbors)
    singletons = () if bool(kept.all()) else ("singletons",)
    return _finished(_estimate(counts, ceiling, dims, singletons), clip, units)


def _estimate(
    counts: NeighborCounts, ceiling: float, dims: tuple[int, int], reasons: tuple[str, ...] = ()
) -> NeighborInformation:
    """The estimate in nats, from counts."""
    near, x, y = (torch.digamma(count.double()) for count in (counts.neighbors, counts.x + 1, counts.y + 1))
    pointwise = near + _psi(len(near)) - x - y
    value, tied = float(pointwise.mean()), int(counts.tied.sum())
    fragile = {"ties": tied > 0, "dimensions": max(dims) > MANY_DIMENSIONS}
    return NeighborInformation(
        value=value,
        pointwise=pointwise,
        ceiling=ceiling,
        tied=tied,
        reasons=reasons + tuple(reason for reason, holds in fragile.items() if holds),
        samples=len(near),
        dims=dims,
        units="nats",
    )


def _constant(points: Tensor, ceiling: float, dims: tuple[int, int], units: Units) -> NeighborInformation:
    """Nothing varies with anything: 0, exactly."""
    zeros = torch.zeros(len(points), dtype=torch.float64, device=points.device)
    found = NeighborInformation(0.0, zeros, ceiling, 0, ("constant",), len(points), dims, "nats")
    return _finished(found, False, units)


def _finished(found: NeighborInformation, clip: bool, units: Units) -> NeighborInformation:
    value = max(found.value, 0.0) if clip else found.value
    return replace(
        found,
        value=in_units(value, units),
        pointwise=in_units(found.pointwise, units),
        ceiling=in_units(found.ceiling, units),
        units=units,
    )


def _psi(number: int) -> float:
    return float(torch.digamma(torch.tensor(number, dtype=torch.float64)))


def _refuse_few(samples: int, k: int) -> None:
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if samples <= k:
        raise ValueError(f"{samples} samples have no {k} neighbours each: more samples than k are needed")


def _check_labels(x: Tensor, labels: Tensor) -> None:
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise ValueError(f"labels must be integers, not {labels.dtype}")
    if labels.shape != (len(x),):
        raise ValueError(f"{len(x)} samples need as many labels, not {tuple(labels.shape)}")
