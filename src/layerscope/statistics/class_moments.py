"""Count, mean and within-class variance of every class, in one pass over the features."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding  # gathers rows several times faster than indexing

from layerscope.functional.between import EPS, class_weights


class ClassMoments:
    r"""Per-class moments, accumulated batch by batch and mergeable.

    Every class has a fixed reference point, its mean in the first batch that shows it. What is summed are
    the offsets :math:`z = h - \mathrm{ref}_y`, which are small however far the features lie from the
    origin, so nothing cancels:

    .. math:: \mu_c = \mathrm{ref}_c + \frac1{n_c}\sum z, \qquad
              M_c = \sum |z|^2 - \frac1{n_c}\Big|\sum z\Big|^2 = \sum_{y_i=c} |h_i - \mu_c|^2 .

    Offsets have the precision of the features; sums are float64. Batch splits, order and merges change
    results by rounding only.

    Parameters
    ----------
    num_classes : int
        Labels are 0 … K-1.
    dim : int
        Features per sample.
    scatter : bool
        Also accumulate the pooled within-class scatter (D, D).
    device, dtype
        Where the state lives; the precision of the reference points and offsets.

    Attributes
    ----------
    counts : Tensor (K,), int64
    """

    def __init__(
        self,
        num_classes: int,
        dim: int,
        *,
        scatter: bool = False,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.num_classes, self.dim = num_classes, dim
        self.counts = torch.zeros(num_classes, dtype=torch.int64, device=device)
        self.reference = torch.zeros(num_classes, dim, dtype=dtype, device=device)
        self._sums = torch.zeros(num_classes, dim, dtype=torch.float64, device=device)
        self._squares = torch.zeros(num_classes, dtype=torch.float64, device=device)
        self._all_seen = False  # every class has its reference point
        self._outer: Tensor | None = None
        if scatter:
            self._outer = torch.zeros(dim, dim, dtype=torch.float64, device=device)

    def update(self, features: Tensor, labels: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Add a batch, and return its offsets from the reference points.

        Parameters
        ----------
        features : Tensor (B, D)
            Any float dtype; a dtype wider than the accumulator's widens the accumulator.
        labels : Tensor (B,), integer
        out : Tensor (B, D), optional
            Receives the offsets.

        Raises
        ------
        ValueError
            Wrong shapes, labels that are no integers in 0 … K-1, or features that are not finite. The state
            is then unchanged.
        """
        reference = self.reference
        features, labels = self._checked(features, labels)
        self._place_references(features, labels)
        offsets = torch.sub(features, embedding(labels, self.reference), out=out)
        squares = torch.linalg.vector_norm(offsets, dim=1).double().square()
        if not math.isfinite(float(squares.sum())):
            self.reference = reference.index_fill_(0, (self.counts == 0).nonzero().squeeze(1), 0.0)
            raise ValueError(_not_finite(features))
        self._squares.index_add_(0, labels, squares)
        self._sum_offsets(offsets, labels)
        if self._outer is not None:
            self._outer += (offsets.T @ offsets).double()
        self.counts += torch.bincount(labels, minlength=self.num_classes)
        return offsets

    def merge(self, other: ClassMoments) -> ClassMoments:
        """Add what another accumulator saw; returns self."""
        if (self.num_classes, self.dim) != (other.num_classes, other.dim):
            raise ValueError(
                f"cannot merge moments of {other.num_classes} classes x {other.dim} features "
                f"into {self.num_classes} x {self.dim}"
            )
        if (self._outer is None) != (other._outer is None):
            raise ValueError("cannot merge moments with a scatter matrix and moments without")
        fresh = (self.counts == 0) & (other.counts > 0)
        self.reference = self.reference.to(torch.promote_types(self.reference.dtype, other.reference.dtype))
        self.reference[fresh] = other.reference[fresh].to(self.reference.dtype)
        step = other.reference.double() - self.reference.double()  # (K, D): from our reference to theirs
        step[other.counts == 0] = 0
        counts = other.counts.double()
        if self._outer is not None and other._outer is not None:
            cross = step.T @ other._sums
            self._outer += other._outer + cross + cross.T + step.T @ (counts.unsqueeze(1) * step)
        self._squares += other._squares + 2 * (step * other._sums).sum(1) + counts * step.square().sum(1)
        self._sums += other._sums + counts.unsqueeze(1) * step
        self.counts += other.counts
        return self

    @property
    def present(self) -> Tensor:
        """Indices (K+,) of the classes that have samples; every property below is over these."""
        return self.counts.nonzero().squeeze(1)

    @property
    def samples(self) -> int:
        """Number of samples seen."""
        return int(self.counts.sum())

    @property
    def means(self) -> Tensor:
        """Class means (K+, D), float64."""
        rows = self.present
        means: Tensor = self.reference[rows].double() + self._sums[rows] / self.counts[rows].unsqueeze(1)
        return means

    @property
    def variances(self) -> Tensor:
        """Trace of each class covariance (K+,): mean squared distance to the class mean, divided by n."""
        rows = self.present
        counts = self.counts[rows].double()
        squares = self._squares[rows]
        spread = squares - self._sums[rows].square().sum(dim=1) / counts
        # A reference is a mean of the samples themselves, so a true spread is at least squares / (n + 1).
        real = (counts > 1) & (spread > EPS * counts * squares)
        return torch.where(real, spread / counts, 0.0)

    @property
    def within_covariance(self) -> Tensor:
        """Pooled within-class covariance (D, D), divided by N; needs ``scatter=True``."""
        if self._outer is None:
            raise ValueError("the within-class covariance needs ClassMoments(..., scatter=True)")
        rows = self.present
        sums = self._sums[rows]
        covariance: Tensor = (self._outer - sums.T @ (sums / self.counts[rows].unsqueeze(1))) / self.samples
        return covariance

    @property
    def global_mean(self) -> Tensor:
        """Mean of the class means (D,): every class counts the same."""
        return self.means.mean(dim=0)

    @property
    def sample_mean(self) -> Tensor:
        """Mean of all samples (D,): every sample counts the same."""
        return class_weights(self.counts[self.present], "sample") @ self.means

    def weights(self, weighting: str) -> Tensor:
        """Weights (K+,) of the present classes, ``balanced`` or ``sample``."""
        return class_weights(self.counts[self.present], weighting)

    def offsets(self, features: Tensor, labels: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Offsets of already counted samples from the reference points, without adding them again."""
        features, labels = self._checked(features, labels)
        return torch.sub(features, embedding(labels, self.reference), out=out)

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        return {
            "counts": self.counts.clone(),
            "reference": self.reference.clone(),
            "sums": self._sums.clone(),
            "squares": self._squares.clone(),
            "outer": None if self._outer is None else self._outer.clone(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state by one that :meth:`state_dict` gave."""
        self.counts, self.reference = state["counts"].clone(), state["reference"].clone()
        self._sums, self._squares = state["sums"].clone(), state["squares"].clone()
        self._outer = None if state["outer"] is None else state["outer"].clone()
        self._all_seen = False
        self.num_classes, self.dim = self.reference.shape

    def _checked(self, features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Features in the accumulator's precision, widened if theirs is wider, and labels as int64."""
        if features.ndim != 2 or features.shape[1] != self.dim:
            raise ValueError(f"features must be (batch, {self.dim}), not {tuple(features.shape)}")
        if labels.shape != features.shape[:1]:
            raise ValueError(f"{len(features)} features need as many labels, not {tuple(labels.shape)}")
        if labels.is_floating_point() or labels.dtype == torch.bool:
            raise ValueError(f"labels must be integers, not {labels.dtype}")
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < self.num_classes:
            raise ValueError(
                f"labels must lie in 0 … {self.num_classes - 1}, "
                f"found {int(labels.min())} … {int(labels.max())}"
            )
        dtype = torch.promote_types(features.dtype, torch.float32)
        wide = torch.promote_types(dtype, self.reference.dtype)
        self.reference = self.reference.to(wide)
        return features.detach().to(wide), labels.long()

    def _place_references(self, features: Tensor, labels: Tensor) -> None:
        """Set the reference of classes seen for the first time to their mean in this batch."""
        if self._all_seen:
            return
        unseen = self.counts[labels] == 0
        self._all_seen = bool((self.counts > 0).all())
        if not bool(unseen.any()):
            return
        rows, classes = features[unseen].double(), labels[unseen]
        sizes = torch.bincount(classes, minlength=self.num_classes)
        found = sizes.nonzero().squeeze(1)
        slot = torch.searchsorted(found, classes)
        means = rows.new_zeros(len(found), self.dim).index_add_(0, slot, rows) / sizes[found].unsqueeze(1)
        self.reference[found] = means.to(self.reference.dtype)

    def _sum_offsets(self, offsets: Tensor, labels: Tensor) -> None:
        if self.num_classes <= len(labels):  # few classes: sum in the features' own precision, then widen
            self._sums += offsets.new_zeros(self.num_classes, self.dim).index_add_(0, labels, offsets)
        else:
            self._sums.index_add_(0, labels, offsets.double())


def _not_finite(features: Tensor) -> str:
    bad = ~features.isfinite().all(dim=1)
    return f"{int(bad.sum())} of {len(features)} samples have features that are not finite (or overflow)"
