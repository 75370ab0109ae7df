"""NC4: how often the nearest class mean is the label, and how often it is the network's decision."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from layerscope.functional.nearest import decide_nearest
from layerscope.functional.points import check_points
from layerscope.statistics.center_search import Search, search_among
from layerscope.statistics.checks import check_labels, not_finite

ROUNDING = 1e-5  # scores of float32 points closer than this, relative to the points' size, are computed again
SAME = 1e-9  # centres that differ by less, relative to their largest coordinate, are the same
SCORES, MOST_SCORES = 2**21, 2**25  # scores that fit a cache; that are held at a time at most
ROWS = 256  # points below which a product spends its time on reading the centres
Exact = Callable[[Tensor], Tensor]


class NearestCenter:
    r"""Counts of nearest-centre decisions, :math:`\arg\min_c |h - \mu_c|^2`.

    Distances are compared by :math:`2 z \cdot m_c - |m_c|^2` with points and centres shifted to the mean of
    the centres, in the points' own precision; where the two best scores are within rounding of each other,
    the row is computed again in float64. Ties go to the lowest class, and are counted.

    Parameters
    ----------
    centers : Tensor (K+, D)
        Means of the classes that may be chosen.
    classes : Tensor (K+,)
        Their class indices, ascending.
    num_classes : int
    search : "torch" | "faiss" | "auto"
        Who finds the two best centres: one product and two maxima, an exact index of FAISS on the CPU
        (``pip install 'layerscope[faiss]'``), or whichever of them is faster on the first batch of 256 points
        (the product, with fewer than 64 centres, on a GPU, or without FAISS). Close calls are computed again
        in any case, so the decisions are the same.

    Attributes
    ----------
    correct, counts : Tensor (K,), int64
        Per label: nearest centre is the label; samples seen.
    agreeing, compared : Tensor (K,), int64
        Per label: nearest centre is the network's decision; samples that came with one.
    ties : Tensor (), int64
        The two nearest centres were equally far.

    Raises
    ------
    ValueError
        No centres, not one class for each, or centres that are not finite.
    """

    def __init__(
        self, centers: Tensor, classes: Tensor, num_classes: int, *, search: Search = "torch"
    ) -> None:
        check_points(centers, "centres")
        if not len(centers) or classes.shape != (len(centers),):
            raise ValueError(f"{len(centers)} centres cannot have classes of shape {tuple(classes.shape)}")
        self.search, self.classes = search, classes
        # Rounded first, so that subtracting it from float32 points and from the centres is the same shift.
        self.middle = centers.double().mean(dim=0).float().double()
        self.centers = centers.double() - self.middle
        self.correct = torch.zeros(num_classes, dtype=torch.int64, device=centers.device)
        self.counts = torch.zeros_like(self.correct)
        self.agreeing = torch.zeros_like(self.correct)
        self.compared = torch.zeros_like(self.correct)
        self.ties = torch.zeros((), dtype=torch.int64, device=centers.device)
        self._prepare()

    def update(
        self,
        points: Tensor,
        labels: Tensor,
        decisions: Tensor | None = None,
        *,
        exact: Exact | None = None,
        error: Tensor | None = None,
    ) -> Tensor:
        """Add a batch, and return its nearest classes (B,).

        Parameters
        ----------
        points : Tensor (B, D)
        labels : Tensor (B,)
        decisions : Tensor (B,), optional
            The network's own.
        exact : callable, optional
            Rows (m,) → the same points (m, D) in float64; the points themselves, widened, when omitted.
        error : Tensor (B,), optional
            Size that the points' rounding error is relative to; their length when omitted.

        Raises
        ------
        ValueError
            Points of other features than the centres have, points that are not finite, or labels or decisions
            that do not fit. The state is then unchanged.
        """
        self._check(points, labels)
        if decisions is not None and decisions.shape != labels.shape:
            raise ValueError(
                f"{len(points)} points must have as many decisions, not {tuple(decisions.shape)}"
            )
        nearest, tied = self.decide(points, exact=exact, error=error)
        seen = torch.bincount(labels, minlength=len(self.counts))
        self.counts += seen
        self.correct += _hits(labels, nearest == labels, len(seen))
        self.ties += tied.sum()
        if decisions is not None:
            self.compared += seen
            self.agreeing += _hits(labels, nearest == decisions, len(seen))
        return nearest

    def with_decisions(self, nearest: Tensor, labels: Tensor, decisions: Tensor) -> NearestCenter:
        """What these points would have been counted as with other decisions of the network.

        Parameters
        ----------
        nearest : Tensor (n,)
            What :meth:`update` returned for all points that were seen.
        labels, decisions : Tensor (n,)
        """
        other = copy.deepcopy(self)
        other.compared = self.counts.clone()
        other.agreeing = _hits(labels, nearest == decisions, len(self.counts))
        return other

    def decide(
        self, points: Tensor, *, exact: Exact | None = None, error: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Nearest classes (B,) and whether each was a tie (B,), without counting them."""
        height = self._height
        if len(points) <= height:
            return self._decide(points, exact, error)
        found = []
        for start in range(0, len(points), height):
            rows = slice(start, start + height)
            inner = None if exact is None else _from(exact, start)
            found.append(self._decide(points[rows], inner, None if error is None else error[rows]))
        nearest, tied = zip(*found, strict=True)
        return torch.cat(nearest), torch.cat(tied)

    def _decide(self, points: Tensor, exact: Exact | None, error: Tensor | None) -> tuple[Tensor, Tensor]:
        points = points.detach().to(torch.promote_types(points.dtype, torch.float32))
        shifted = points - self.middle.to(points.dtype)
        best, gap = self._searcher.leading(shifted)
        size = torch.linalg.vector_norm(shifted, dim=1) if error is None else error
        clear = gap > ROUNDING * self._longest * (size + self._longest)
        rows = clear.logical_not().nonzero().squeeze(1)  # NaN among them
        tied = torch.zeros_like(clear)
        if rows.numel():
            if not bool((size[rows].isfinite() & ~gap[rows].isnan()).all()):
                raise ValueError(not_finite(points))
            fine = (points[rows].double() if exact is None else exact(rows)) - self.middle
            best[rows], tied[rows] = decide_nearest(fine, self.centers)
        return self.classes[best], tied

    def merge(self, other: NearestCenter) -> NearestCenter:
        """Add what another accumulator with the same centres saw; returns self."""
        if not self._same_centers(other):
            raise ValueError("cannot merge decisions by other centres")
        self.correct += other.correct
        self.counts += other.counts
        self.agreeing += other.agreeing
        self.compared += other.compared
        self.ties += other.ties
        return self

    @property
    def samples(self) -> int:
        """Number of samples seen."""
        return int(self.counts.sum())

    @property
    def accuracy(self) -> float:
        """Share of samples whose nearest centre is their label; NaN without samples."""
        return int(self.correct.sum()) / self.samples if self.samples else math.nan

    @property
    def balanced_accuracy(self) -> float:
        """Mean over the classes that have samples of the share within the class; NaN without samples."""
        return _balanced(self.correct, self.counts)

    @property
    def agreement(self) -> float:
        """Share of the samples with a decision whose nearest centre it is; NaN without such."""
        compared = int(self.compared.sum())
        return int(self.agreeing.sum()) / compared if compared else math.nan

    @property
    def balanced_agreement(self) -> float:
        """Mean over the classes that have decisions of the agreement within the class; NaN without such."""
        return _balanced(self.agreeing, self.compared)

    def compute(self) -> dict[str, float]:
        """Every result by name: four shares, and the number of samples and of ties."""
        return {
            "accuracy": self.accuracy,
            "balanced_accuracy": self.balanced_accuracy,
            "agreement": self.agreement,
            "balanced_agreement": self.balanced_agreement,
            "samples": float(self.samples),
            "ties": float(self.ties),
        }

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        return {name: getattr(self, name).clone() for name in _STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state, the centres included, by one that :meth:`state_dict` gave."""
        for name in _STATE:
            setattr(self, name, state[name].to(self.centers.device, copy=True))
        self._prepare()

    @property
    def _height(self) -> int:
        """Points whose scores are taken at a time."""
        classes = max(len(self.classes), 1)
        return max(SCORES // classes, min(ROWS, MOST_SCORES // classes), 1)

    def _same_centers(self, other: NearestCenter) -> bool:
        """Whether the centres are equal up to rounding."""
        if self.centers.shape != other.centers.shape or not torch.equal(self.classes, other.classes):
            return False
        mine, theirs = self.centers + self.middle, other.centers + other.middle
        size = float(mine.abs().max()) if mine.numel() else 0.0
        return torch.allclose(mine, theirs, rtol=0, atol=SAME * size)

    def _check(self, points: Tensor, labels: Tensor) -> None:
        if points.ndim != 2 or points.shape[1] != self.centers.shape[1]:
            raise ValueError(f"points must be (batch, {self.centers.shape[1]}), not {tuple(points.shape)}")
        check_labels(labels, len(points), len(self.counts))

    def _prepare(self) -> None:
        """Set what depends on the centres alone."""
        lengths = torch.linalg.vector_norm(self.centers, dim=1)
        self._longest = float(lengths.max()) if len(self.centers) else 0.0
        self._searcher = search_among(self.centers, self.search)


_STATE = ("classes", "middle", "centers", "correct", "counts", "agreeing", "compared", "ties")


def _hits(labels: Tensor, hit: Tensor, classes: int) -> Tensor:
    """How many samples of each class (K,) were hit (B,)."""
    if labels.device.type != "cpu":  # where sums of weights have no fixed order
        return torch.bincount(labels[hit], minlength=classes)
    return torch.bincount(labels, weights=hit, minlength=classes).long()


def _balanced(hits: Tensor, counts: Tensor) -> float:
    """Mean share of hits over the classes that have any samples."""
    seen = counts > 0
    return float((hits[seen] / counts[seen].double()).mean()) if bool(seen.any()) else math.nan


def _from(exact: Exact, start: int) -> Exact:
    """``exact`` for row numbers that count from ``start``."""
    return lambda rows: exact(rows + start)
