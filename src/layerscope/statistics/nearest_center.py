"""NC4: how often the nearest class mean is the label, and how often it is the network's decision."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

ROUNDING = 1e-5  # scores of float32 points closer than this, relative to the points' size, are computed again
TIE = 1e-14  # scores closer than this are a tie


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

    Attributes
    ----------
    correct, counts : Tensor (K,), int64
        Per label: nearest centre is the label; samples seen.
    agreeing, ties : Tensor (), int64
        Nearest centre is the network's decision; the two nearest centres were equally far.
    """

    def __init__(self, centers: Tensor, classes: Tensor, num_classes: int) -> None:
        self.classes = classes
        # Rounded first, so that subtracting it from float32 points and from the centres is the same shift.
        self.middle = centers.double().mean(dim=0).float().double()
        self.centers = centers.double() - self.middle
        self.correct = torch.zeros(num_classes, dtype=torch.int64, device=centers.device)
        self.counts = torch.zeros_like(self.correct)
        self.agreeing = torch.zeros((), dtype=torch.int64, device=centers.device)
        self.ties = torch.zeros_like(self.agreeing)

    def update(
        self,
        points: Tensor,
        labels: Tensor,
        decisions: Tensor | None = None,
        *,
        exact: Callable[[Tensor], Tensor] | None = None,
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
        """
        nearest, tied = self.decide(points, exact=exact, error=error)
        self.correct += torch.bincount(labels[nearest == labels], minlength=len(self.correct))
        self.counts += torch.bincount(labels, minlength=len(self.counts))
        self.ties += tied.sum()
        if decisions is not None:
            self.agreeing += (nearest == decisions).sum()
        return nearest

    def decide(
        self, points: Tensor, *, exact: Callable[[Tensor], Tensor] | None = None, error: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Nearest classes (B,) and whether each was a tie (B,), without counting them."""
        points = points.to(torch.promote_types(points.dtype, torch.float32))
        shifted = points - self.middle.to(points.dtype)
        scores = self._scores(shifted)
        size = torch.linalg.vector_norm(shifted, dim=1) if error is None else error
        highest, best = scores.max(dim=1)
        gap = highest - scores.scatter_(1, best.unsqueeze(1), -math.inf).amax(dim=1)
        longest = torch.linalg.vector_norm(self.centers, dim=1).max()
        near = gap <= ROUNDING * longest * (size.double() + longest)
        rows = near.nonzero().squeeze(1)
        tied = torch.zeros_like(near)
        if rows.numel():
            fine = (points[rows].double() if exact is None else exact(rows)) - self.middle
            best[rows], tied[rows] = self._decide_exactly(fine)
        return self.classes[best], tied

    def merge(self, other: NearestCenter) -> NearestCenter:
        """Add what another accumulator with the same centres saw; returns self."""
        self.correct += other.correct
        self.counts += other.counts
        self.agreeing += other.agreeing
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
        seen = self.counts > 0
        return (
            float((self.correct[seen] / self.counts[seen].double()).mean()) if bool(seen.any()) else math.nan
        )

    @property
    def agreement(self) -> float:
        """Share of samples whose nearest centre is the network's decision; NaN without samples."""
        return int(self.agreeing) / self.samples if self.samples else math.nan

    def _scores(self, shifted: Tensor) -> Tensor:
        centers = self.centers.to(shifted.dtype)
        return torch.addmm(-centers.square().sum(dim=1), shifted, centers.T, alpha=2.0)

    def _decide_exactly(self, shifted: Tensor) -> tuple[Tensor, Tensor]:
        """Nearest centre of float64 points (m, D), the lowest of those within rounding; whether it tied."""
        scores = self._scores(shifted)
        lengths = torch.linalg.vector_norm(self.centers, dim=1)
        sizes = torch.linalg.vector_norm(shifted, dim=1, keepdim=True)
        slack = TIE * lengths * (sizes + lengths)  # (m, K+)
        highest, best = scores.max(dim=1, keepdim=True)
        among_best = scores + slack >= highest - slack.gather(1, best)
        return among_best.int().argmax(dim=1), among_best.sum(dim=1) > 1
