"""Count, mean and within-class variance of every class, in one pass over the features."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding  # several times faster than indexing

from layerscope.functional.between import EPS, class_weights
from layerscope.functional.covariance import CovarianceSpectrum, gaussian, sketched_spectrum
from layerscope.functional.gram import add_products, mirrored
from layerscope.statistics.checks import check_features, check_labels, not_finite
from layerscope.statistics.class_squares import ClassSquares
from layerscope.statistics.far_offsets import FarOffsets
from layerscope.statistics.label_groups import LabelGroups, label_groups
from layerscope.statistics.waiting_rows import WaitingRows

MOST = 2048  # offsets that are summed in their own precision; more would cost digits, fewer time


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
    sketch : int
        Also accumulate a randomized sketch (D, sketch) of that scatter, for features too wide for the whole;
        0 for none.
    sample_weights : Tensor (K,), optional
        What a sample of each class counts in scatter and sketch: 1 when omitted; :math:`1/n_c`, if the sizes
        are known, for a covariance in which every class counts the same.
    keep : Tensor (n, D), optional
        Memory that receives the offsets of the samples, in their order, for a second reading: :attr:`kept`.
        It belongs to this accumulator, and is part of what is pickled, until :meth:`release`.
    seed : int
        Of the sketch; only sketches of one seed can be merged.
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
        sketch: int = 0,
        sample_weights: Tensor | None = None,
        keep: Tensor | None = None,
        seed: int = 0,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.num_classes, self.dim = num_classes, dim
        dtype = torch.promote_types(dtype, torch.float32)
        self.counts = torch.zeros(num_classes, dtype=torch.int64, device=device)
        self.reference = torch.zeros(num_classes, dim, dtype=dtype, device=device)
        self._sums = torch.zeros(num_classes, dim, dtype=torch.float64, device=device)
        self._squares = ClassSquares(num_classes, dtype, device)
        self._far = FarOffsets()
        self._all_seen = False  # every class has its reference point
        self._share: Tensor | None = None
        if sample_weights is not None:
            self._share = sample_weights.to(device, torch.float64)
        self._outer: Tensor | None = None
        if scatter:
            self._outer = torch.zeros(dim, dim, dtype=torch.float64, device=device)
        self._waiting = self._own_rows() if keep is None else WaitingRows(_fitting(keep, dim), keeps=True)
        self._sketch: Tensor | None = None
        self._seed = seed
        if sketch:
            self._sketch = torch.zeros(dim, min(sketch, dim), dtype=torch.float64, device=device)
            self._test = gaussian(dim, min(sketch, dim), seed, device)

    def update(
        self,
        features: Tensor,
        labels: Tensor,
        *,
        groups: LabelGroups | None = None,
    ) -> None:
        """Add a batch.

        Parameters
        ----------
        features : Tensor (B, D)
            Any float dtype; a dtype wider than the accumulator's widens the accumulator.
        labels : Tensor (B,), integer
        groups : LabelGroups, optional
            What :func:`label_groups` makes of these labels, when it was asked before: once for all layers.

        Raises
        ------
        ValueError
            Wrong shapes, labels that are no integers in 0 … K-1, features that are not finite, or more
            samples than offsets can be kept of. The state is then unchanged.
        """
        reference = self.reference
        check_features(features, self.dim)
        groups = label_groups(labels, len(features), self.num_classes) if groups is None else groups
        features, labels = self._widened(features), groups.labels
        place = self._place(features)
        self._place_references(features, groups)
        offsets = self._offsets(features, labels, place)
        count = labels.shape[0]
        squared = self._squares.place(count, offsets.dtype)
        lengths = torch.linalg.vector_norm(offsets, dim=1, out=squared)
        if not _all_finite(lengths):
            self.reference = reference.index_fill_(0, (self.counts == 0).nonzero().squeeze(1), 0.0)
            raise ValueError(not_finite(features))
        if squared is None:
            self._squares.add(lengths, labels)
        else:
            self._squares.wait(labels)
        self.counts += groups.counts
        multiplied = self._outer is not None or self._sketch is not None
        far = self._far.rows(lengths, self._squares, self.counts) if multiplied else None
        waiting = None if place is None else self._waiting
        if waiting is not None and far is None and waiting.gains(count):
            waiting.put(labels)
            if waiting.are_many:
                self._settle()
            return
        self._settle()
        self._add_parts(features, offsets, groups, far)
        if waiting is not None:
            waiting.skip(count)

    def merge(self, other: ClassMoments) -> ClassMoments:
        """Add what another accumulator saw; returns self."""
        if (self.num_classes, self.dim) != (other.num_classes, other.dim):
            raise ValueError(
                f"cannot merge moments of {other.num_classes} classes x {other.dim} features "
                f"into {self.num_classes} x {self.dim}"
            )
        self._check_mergeable(other)
        self._settle()
        other._settle()
        fresh = (self.counts == 0) & (other.counts > 0)
        self.reference = self.reference.to(torch.promote_types(self.reference.dtype, other.reference.dtype))
        self.reference[fresh] = other.reference[fresh].to(self.reference.dtype)
        step = other.reference.double() - self.reference.double()  # (K, D): from our reference to theirs
        step[other.counts == 0] = 0
        counts = other.counts.double()
        share = counts if self._share is None else self._share * counts
        sums = other._sums if self._share is None else self._share.unsqueeze(1) * other._sums
        moved = step * share.unsqueeze(1) + sums  # what a product with an offset moved by `step` gains
        if self._outer is not None and other._outer is not None:
            self._outer += other._outer + step.T @ moved + sums.T @ step
        if self._sketch is not None and other._sketch is not None:
            self._sketch += other._sketch + step.T @ (moved @ self._test) + sums.T @ (step @ self._test)
        gained = 2 * (step * other._sums).sum(1) + counts * step.square().sum(1)
        totals = self._squares.totals
        totals += other._squares.totals + gained  # in place, which inference mode allows and survives
        self._far.forget()
        self._sums += other._sums + counts.unsqueeze(1) * step
        self.counts += other.counts
        return self

    @property
    def present(self) -> Tensor:
        """Indices (K+,) of the classes that have samples; every property below is over these."""
        return self.counts.nonzero().squeeze(1)

    @property
    def kept(self) -> Tensor:
        """Offsets (n, D) of the samples that were seen, in their order; needs ``keep``."""
        if self._waiting is None or not self._waiting.keeps:
            raise ValueError("offsets are kept by ClassMoments(..., keep=memory)")
        return self._waiting.kept

    @property
    def samples(self) -> int:
        """Number of samples seen."""
        return int(self.counts.sum())

    @property
    def means(self) -> Tensor:
        """Class means (K+, D), float64."""
        self._settle()
        rows = self._rows
        means: Tensor = self.reference[rows].double() + self._sums[rows] / self.counts[rows].unsqueeze(1)
        return means

    @property
    def variances(self) -> Tensor:
        """Trace of each class covariance (K+,): mean squared distance to the class mean, divided by n."""
        self._settle()
        rows = self._rows
        counts = self.counts[rows].double()
        squares = self._squares.totals[rows]
        spread = squares - self._sums[rows].square().sum(dim=1) / counts
        # A reference is a mean of the samples themselves, so a true spread is at least squares / (n + 1).
        real = (counts > 1) & (spread > EPS * counts * squares)
        return torch.where(real, spread / counts, 0.0)

    @property
    def _rows(self) -> Tensor | slice:
        """The present classes, as what needs no copy where all are."""
        present = self.present
        return slice(None) if len(present) == self.num_classes else present

    @property
    def within_covariance(self) -> Tensor:
        """Pooled within-class covariance (D, D), divided by N; needs ``scatter=True``.

        With ``sample_weights`` a class counts :math:`w_c n_c` in place of :math:`n_c`.
        """
        if self._outer is None:
            raise ValueError("the within-class covariance needs ClassMoments(..., scatter=True)")
        self._settle()
        sums, shares = self._sums[self.present], self._shares()
        scaled = sums * (shares / self.counts[self.present].square()).unsqueeze(1)
        inner = self._outer.clone()
        add_products(inner, sums, -scaled)
        return mirrored(inner / shares.sum())

    @property
    def within_spectrum(self) -> CovarianceSpectrum:
        """Leading eigenvalues of :attr:`within_covariance`, from the sketch; needs ``sketch``."""
        if self._sketch is None:
            raise ValueError("the spectrum needs ClassMoments(..., sketch=columns)")
        self._settle()
        sums, shares = self._sums[self.present], self._shares()
        scaled = sums * (shares / self.counts[self.present].square()).unsqueeze(1)
        sketch = (self._sketch - scaled.T @ (sums @ self._test)) / shares.sum()
        trace = float(shares @ self.variances / shares.sum())
        return sketched_spectrum(sketch, self._test, trace)

    @property
    def global_mean(self) -> Tensor:
        """Mean of the class means (D,): every class counts the same."""
        return self.means.mean(dim=0)

    @property
    def sample_mean(self) -> Tensor:
        """Mean of all samples (D,): every sample counts the same."""
        return class_weights(self.counts[self.present], "sample") @ self.means

    def weights(self, weighting: str) -> Tensor:
        """Weights (K+,) of the present classes, ``balanced`` or ``sample``; presets: :func:`weights_by`."""
        return class_weights(self.counts[self.present], weighting)

    def offsets(self, features: Tensor, labels: Tensor, *, out: Tensor | None = None) -> Tensor:
        """Offsets of already counted samples from the reference points, without adding them again."""
        check_features(features, self.dim)
        check_labels(labels, len(features), self.num_classes)
        return self._offsets(self._widened(features), labels.long(), out)

    def release(self) -> None:
        """Give the memory of ``keep`` back, with the offsets in it; later ones are not kept.

        Nothing waits then to be added, so that several threads may read results, until the next update.
        """
        self._settle()
        _ = self._squares.totals
        if self._waiting is not None and self._waiting.keeps:
            self._waiting = self._own_rows()

    def compute(self) -> dict[str, Tensor]:
        """Counts, means and variances of the classes that have samples, and which these are."""
        return {
            "classes": self.present,
            "counts": self.counts[self.present],
            "means": self.means,
            "variances": self.variances,
        }

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        self._settle()
        outer = self._outer
        return {
            "counts": self.counts.clone(),
            "reference": self.reference.clone(),
            "sums": self._sums.clone(),
            "squares": self._squares.totals.clone(),
            "outer": None if outer is None else mirrored(outer.clone()),
            "sketch": None if self._sketch is None else self._sketch.clone(),
            "seed": None if self._sketch is None else torch.tensor(self._seed),
            "sample_weights": None if self._share is None else self._share.clone(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state by one that :meth:`state_dict` gave; it moves to this accumulator's device."""
        device = self.counts.device
        parts: dict[str, Any] = {n: v if v is None else v.to(device, copy=True) for n, v in state.items()}
        self.counts, self.reference = parts["counts"], parts["reference"]
        self._sums = parts["sums"]
        self._squares.replace(parts["squares"])
        self._far.forget()
        self._outer, self._sketch, self._share = parts["outer"], parts["sketch"], parts["sample_weights"]
        self._all_seen = False
        self.num_classes, self.dim = self.reference.shape
        self._waiting = self._own_rows()
        if self._sketch is not None:
            self._seed = int(parts["seed"])
            self._test = gaussian(self.dim, self._sketch.shape[1], self._seed, device)

    def _widened(self, features: Tensor) -> Tensor:
        """Features in the accumulator's precision, which is widened if theirs is wider."""
        if features.dtype == self.reference.dtype:
            return features.detach()
        dtype = torch.promote_types(features.dtype, torch.float32)
        wide = torch.promote_types(dtype, self.reference.dtype)
        self.reference = self.reference.to(wide)
        return features.detach().to(wide)

    def _offsets(self, features: Tensor, labels: Tensor, out: Tensor | None) -> Tensor:
        if out is not None and out.dtype != self.reference.dtype:
            return torch.sub(features, embedding(labels, self.reference), out=out)
        points = torch.index_select(
            self.reference, 0, labels, out=out
        )  # where the offsets go: no memory between
        return torch.sub(features, points, out=points)

    def _place_references(self, features: Tensor, groups: LabelGroups) -> None:
        """Set the reference of classes seen for the first time to their mean in this batch."""
        if self._all_seen:
            return
        fresh = ((self.counts == 0) & (groups.counts > 0)).nonzero().squeeze(1)
        self._all_seen = bool((self.counts > 0).all())
        if not len(fresh):
            return
        single = groups.counts[fresh] == 1
        alone, several = fresh[single], fresh[~single]
        self.reference[alone] = features[groups.order[groups.starts[alone]]]
        means = groups.sums_of(several, features) / groups.counts[several].unsqueeze(1)
        self.reference[several] = means.to(self.reference.dtype)

    def _sum_offsets(self, offsets: Tensor, groups: LabelGroups) -> None:
        if self.num_classes <= len(offsets):  # few classes: sum in the features' own precision, then widen
            self._sums += groups.sums(offsets)
        else:
            self._sums.index_add_(0, groups.labels, offsets.double())

    def _own_rows(self) -> WaitingRows | None:
        """Memory in which offsets wait that are not kept, where that pays."""
        return None if self._outer is None else WaitingRows.of_own(self.dim, self._outer.device)

    def _groups(self, labels: Tensor) -> LabelGroups:
        return label_groups(labels, len(labels), self.num_classes)

    def _place(self, features: Tensor) -> Tensor | None:
        """Where to write the offsets of features (B, D), if they are kept or wait for others."""
        waiting, count = self._waiting, features.shape[0]
        if waiting is None:
            return None
        place = waiting.place(count, features.dtype, self._settle)
        if place is None and waiting.keeps:
            room, kept = len(waiting.memory), len(waiting.kept)
            raise ValueError(
                f"offsets of {room} samples can be kept: there is no room for {count} beside {kept}"
            )
        return place

    def _add_parts(self, features: Tensor, offsets: Tensor, groups: LabelGroups, far: Tensor | None) -> None:
        """Add offsets to all sums, those of far samples in float64."""
        if far is None:
            self._add(offsets, groups)
            return
        labels = groups.labels
        points = embedding(labels[far], self.reference).double()
        self._add(features[far].double() - points, self._groups(labels[far]))
        self._add(offsets[~far], self._groups(labels[~far]))

    def _add(self, offsets: Tensor, groups: LabelGroups) -> None:
        if len(offsets) > MOST:
            parts = (torch.split(part, MOST) for part in (offsets, groups.labels))
            for some, labels in zip(*parts, strict=True):
                self._add(some, self._groups(labels))
            return
        self._sum_offsets(offsets, groups)
        self._add_products(offsets, groups.labels)

    def _settle(self) -> None:
        """Add the offsets that wait."""
        if self._waiting is not None and len(self._waiting):
            offsets, labels = self._waiting.take()
            self._add(offsets, self._groups(labels))

    def _add_products(self, offsets: Tensor, labels: Tensor) -> None:
        """Add to scatter and sketch, where they are kept."""
        if self._outer is None and self._sketch is None:
            return
        rows = offsets
        if self._share is not None:
            rows = offsets * embedding(labels, self._share.sqrt().unsqueeze(1)).to(offsets.dtype)
        if self._sketch is not None:
            self._sketch.add_(rows.T @ (rows @ self._test.to(rows.dtype)))
        if self._outer is not None:
            add_products(self._outer, rows, rows)

    def _shares(self) -> Tensor:
        """What each present class (K+,) counts in scatter and sketch: its samples, or their weights' sum."""
        counts = self.counts[self.present].double()
        return counts if self._share is None else counts * self._share[self.present]

    def _check_mergeable(self, other: ClassMoments) -> None:
        if (self._outer is None) != (other._outer is None):
            raise ValueError("cannot merge moments with a scatter matrix and moments without")
        mine, theirs = self._sketch, other._sketch
        if (mine is None) != (theirs is None):
            raise ValueError("cannot merge moments with a sketch and moments without")
        if (
            mine is not None
            and theirs is not None
            and (len(mine.T), self._seed) != (len(theirs.T), other._seed)
        ):
            raise ValueError("cannot merge sketches of different widths or seeds")
        if not _equal(self._share, other._share):
            raise ValueError("cannot merge moments that weigh samples differently")


def _fitting(keep: Tensor, dim: int) -> Tensor:
    if keep.ndim != 2 or keep.shape[1] != dim or not keep.is_floating_point():
        found = f"{tuple(keep.shape)} of {keep.dtype}"
        raise ValueError(f"memory for offsets must be (samples, {dim}) of a float dtype, not {found}")
    return keep


def _all_finite(lengths: Tensor) -> bool:
    """Whether all lengths (B,) are; their sum alone may overflow."""
    return math.isfinite(float(lengths.sum())) or bool(lengths.isfinite().all())


def _equal(one: Tensor | None, other: Tensor | None) -> bool:
    if one is None or other is None:
        return one is other
    return torch.equal(one, other)
