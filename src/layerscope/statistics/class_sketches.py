"""Covariances of all classes at once, as thin sketches: for features too wide, or too many, to keep."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding

from layerscope.functional.between import centered
from layerscope.functional.covariance import (
    EXACT,
    CovarianceSpectrum,
    covariance_spectrum,
    gaussian,
    row_spectrum,
    sketched_spectrum,
)
from layerscope.functional.weighting import ClassWeights
from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_spectra import TOP, ClassSpectra, Pooled, pooled_spectra

COLUMNS = TOP + 10


class ClassSketches:
    r"""One-pass sketches :math:`\Sigma_c \Omega` of the class covariances, with a fixed random Ω (D, p).

    Memory is K·D·p (``by_class``) or D·p; nothing is K·D·D. Up to 1024 features the pooled covariance is also
    kept whole (D, D), so Σ_w, Σ_t and the index made of them are exact. With no more than p features Ω is the
    identity, and everything is exact.

    Parameters
    ----------
    weights : Tensor (K,)
        Of a sample of each class in Σ_w: :math:`w_c/n_c`.
    dim : int
        Features per sample.
    by_class : bool
        Whether each class has a sketch of its own.
    columns : int
        p.
    seed : int
        Of Ω; sketches of one seed can be merged.
    """

    def __init__(
        self, weights: Tensor, dim: int, *, by_class: bool = True, columns: int = COLUMNS, seed: int = 0
    ) -> None:
        device = weights.device
        self.weights, self.by_class = weights.double(), by_class
        self.whole = dim <= columns
        if self.whole:
            self.test = torch.eye(dim, dtype=torch.float64, device=device)
        else:
            self.test = gaussian(dim, columns, seed, device)
        slots = len(weights) if by_class else 1
        self._images = torch.zeros(slots, dim, self.test.shape[1], dtype=torch.float64, device=device)
        self._outer: Tensor | None = None
        if dim <= EXACT and not (self.whole and by_class):
            self._outer = torch.zeros(dim, dim, dtype=torch.float64, device=device)

    def update(self, offsets: Tensor, labels: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        offsets : Tensor (B, D)
            From the mean of the class.
        labels : Tensor (B,)
        """
        seen = offsets @ self.test.to(offsets.dtype)
        shares = embedding(labels, self.weights.unsqueeze(1)).to(offsets.dtype)
        if self._outer is not None:
            self._outer += (offsets.T @ (offsets * shares)).double()
        if not self.by_class:
            self._images[0] += (offsets.T @ (seen * shares)).double()
            return
        order = labels.argsort(stable=True)
        counts = torch.bincount(labels, minlength=len(self.weights)).tolist()
        for label, places in enumerate(torch.split(order, counts)):
            if len(places):
                self._images[label] += (offsets[places].T @ seen[places]).double()

    def merge(self, other: ClassSketches) -> ClassSketches:
        """Add what another accumulator saw; returns self."""
        if self._images.shape != other._images.shape or not torch.equal(self.test, other.test):
            raise ValueError("cannot merge sketches of other sizes or seeds")
        self._images += other._images
        if self._outer is not None and other._outer is not None:
            self._outer += other._outer
        return self

    def spectra(self, moments: ClassMoments, weights: ClassWeights) -> ClassSpectra:
        """Spectra of what was seen.

        Parameters
        ----------
        moments : ClassMoments
            Of the very samples that were added.
        weights : ClassWeights
            Of the present classes.
        """
        means, variances = moments.means, moments.variances
        offsets = centered(means, weights.center)[0] * weights.between.sqrt().unsqueeze(1)
        present = moments.present if self.by_class else moments.present[:0]
        classes = []
        for label, variance in zip(present.tolist(), variances.tolist(), strict=False):
            count = int(moments.counts[label])
            classes.append(self._spectrum(self._images[label] / count, variance, count))
        trace = float(weights.pooled @ variances)
        pooled = self._pooled(offsets, trace, moments, weights)
        found = pooled.of(moments.samples)
        return ClassSpectra(classes, present, between=row_spectrum(offsets), **found)

    def _pooled(self, offsets: Tensor, trace: float, moments: ClassMoments, weights: ClassWeights) -> Pooled:
        whole = self._outer
        if whole is None and self.whole:
            whole = torch.einsum("k,kde->de", self.weights, self._images)
        if whole is not None:
            return pooled_spectra(whole, offsets, moments.means, weights, moments.reference.dtype)
        image = self._images[0]
        if self.by_class:
            image = torch.einsum("k,kdp->dp", self.weights, self._images)
        total = image + offsets.T @ (offsets @ self.test)
        whole_trace = trace + float(offsets.square().sum())
        found = self._spectrum(image, trace), self._spectrum(total, whole_trace)
        return Pooled(*found, math.nan, resolved=True)

    def _spectrum(self, image: Tensor, trace: float, rows: int | None = None) -> CovarianceSpectrum:
        """Of a sketch of so many samples, which cannot have more eigenvalues than there are of them."""
        if self.whole:
            found = covariance_spectrum((image + image.T) / 2)
            return CovarianceSpectrum(found.values[:rows], found.trace)
        found = sketched_spectrum(image, self.test, trace)
        return CovarianceSpectrum(found.values[: min(TOP, rows or TOP)], trace, "sketch")

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything needed to continue or merge elsewhere."""
        outer = None if self._outer is None else self._outer.clone()
        return {"images": self._images.clone(), "outer": outer}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Replace the state by one that :meth:`state_dict` gave."""
        device = self._images.device
        self._images = state["images"].to(device, copy=True)
        self._outer = None if state["outer"] is None else state["outer"].to(device, copy=True)


def sketch_bytes(num_classes: int, dim: int, item_bytes: int, *, by_class: bool) -> int:
    """Bytes that :class:`ClassSketches` holds, its Ω and a reference point for each class included."""
    slots = num_classes if by_class else 1
    whole = dim * dim if dim <= EXACT else 0
    return 8 * ((slots + 1) * dim * min(dim, COLUMNS) + whole) + num_classes * dim * item_bytes
