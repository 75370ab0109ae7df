"""Spectra of the class covariances, pooled and one by one, from rows that are at hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from layerscope.functional.between import between_basis, centered
from layerscope.functional.covariance import (
    EXACT,
    CovarianceSpectrum,
    compressed,
    covariance_spectrum,
    descending,
    leading_space,
    row_spectrum,
    varying_part,
)
from layerscope.functional.gram import BLOCK, gram
from layerscope.functional.vci import vci_from_rows, vci_from_total
from layerscope.functional.weighting import ClassWeights

FEW = 256  # rows that tell how long a row is
NEAR = 1 / 64  # squared length of a mean, relative to that of its rows, below which products need no centring
TOP = 64  # eigenvalues that are kept of covariances too large for all


@dataclass(frozen=True)
class ClassSpectra:
    """Spectra of one layer on one split.

    Attributes
    ----------
    classes : list of CovarianceSpectrum
        Of every class that has rows, in the order of ``present``.
    present : Tensor (K+,)
        These classes.
    within, between, total : CovarianceSpectrum
    vci : float
        Variability collapse index; NaN where it takes more than ``EXACT`` dimensions or rows.
    rows : int
        Samples that all this was computed from.
    resolved : bool
        Whether the index leaves out no direction for the rounding of the features, and is not 0 just because
        there are fewer samples than features.
    """

    classes: list[CovarianceSpectrum]
    present: Tensor
    within: CovarianceSpectrum
    between: CovarianceSpectrum
    total: CovarianceSpectrum
    vci: float
    rows: int
    resolved: bool = True


def class_spectra(
    rows: Tensor, labels: Tensor, means: Tensor, weights: ClassWeights, *, top: int = TOP, seed: int = 0
) -> ClassSpectra:
    """Spectra from the rows of a split, or of a :class:`FeatureSample` of it.

    Up to 1024 features, or 1024 rows, everything is exact; beyond, a randomized range finder gives the
    leading ``top`` eigenvalues, and the captured trace tells what they leave out. One class is taken at a
    time, so memory is that of the rows of one class and of one D×D matrix at most.

    Parameters
    ----------
    rows : Tensor (n, D)
        Features or offsets from any point of their class, in any order; every class is centred here.
    labels : Tensor (n,)
    means : Tensor (K+, D)
        Class means of the classes that have rows.
    weights : ClassWeights
        Of these classes.
    """
    groups = _Groups(rows, labels, weights.pooled)
    offsets = _between_rows(means, weights)
    few = len(rows) + len(means) <= EXACT
    if rows.shape[1] <= EXACT and not (few and len(rows) <= rows.shape[1]):
        classes, within = groups.by_matrix()
        pooled = pooled_spectra(within, offsets, means, weights, rows.dtype)
    else:
        classes = [row_spectrum(group, top=top, seed=seed) for group in groups.scaled()]
        if few:
            pooled = _by_rows(groups, offsets, means, weights)
        else:
            pooled = Pooled(*groups.leading(offsets, top, seed), math.nan, resolved=True)
    return ClassSpectra(classes, groups.present, between=row_spectrum(offsets), **pooled.of(len(rows)))


class Pooled(NamedTuple):
    """What :class:`ClassSpectra` says of all classes together."""

    within: CovarianceSpectrum
    total: CovarianceSpectrum
    vci: float
    resolved: bool

    def of(self, rows: int) -> dict[str, Any]:
        """The same as parts of :class:`ClassSpectra`; so many samples have no more eigenvalues."""
        within, total = (replace(part, values=part.values[:rows]) for part in (self.within, self.total))
        return {
            "within": within,
            "total": total,
            "vci": self.vci,
            "rows": rows,
            "resolved": self.resolved,
        }


def pooled_spectra(
    within: Tensor, between_rows: Tensor, means: Tensor, weights: ClassWeights, dtype: torch.dtype
) -> Pooled:
    """Exact spectra within classes and in total, and the index made of both, from Σ_w (D, D).

    Parameters
    ----------
    between_rows : Tensor (K+, D)
        Rows B with Bᵀ B the between-class covariance.
    dtype
        Of the features whose products were summed: below its rounding the index resolves no direction.
    """
    total = within + between_rows.T @ between_rows
    trace = float(total.diagonal().sum())
    part, varying = varying_part(total)
    rank = between_basis(means, weights.between, center=weights.center).rank if len(means) else 0
    tolerance = torch.finfo(dtype).eps * trace
    values, index, resolved = vci_from_total(part, between_rows[:, varying], rank, tolerance)
    spectrum = CovarianceSpectrum(descending(values, len(total)), trace)
    return Pooled(covariance_spectrum(within), spectrum, index, resolved)


class _Groups:
    """The rows of one class at a time, centred on their mean."""

    def __init__(self, rows: Tensor, labels: Tensor, weights: Tensor) -> None:
        self._rows, self._weights = rows, weights
        self.present, counts = torch.unique(labels, return_counts=True)
        self._places = torch.split(labels.argsort(stable=True), counts.tolist())

    def each(self, *, centered: bool = True) -> Iterator[tuple[Tensor, float]]:
        """Rows (n_c, D) of every class, about their mean or as they are, and the weight of the class."""
        for places, weight in zip(self._places, self._weights.tolist(), strict=True):
            rows = self._rows[places]
            yield (_center(rows) if centered else rows), weight

    def scaled(self, *, weighted: bool = False) -> Iterator[Tensor]:
        """Rows Z of every class, scaled so that Zᵀ Z is its covariance, or its part of the pooled one."""
        for rows, weight in self.each():
            yield rows.mul_(math.sqrt((weight if weighted else 1.0) / len(rows)))

    def by_matrix(self) -> tuple[list[CovarianceSpectrum], Tensor]:
        """Spectra of the classes, and Σ_w (D, D): the products of a class's features serve both."""
        dim, varying = self._rows.shape[1], _varying(self._rows)
        within = torch.zeros(len(varying), len(varying), dtype=torch.float64, device=self._rows.device)
        classes, small = [], _Pile(within)
        for every, weight in self.each(centered=False):
            rows = every if len(varying) == dim else every.index_select(1, varying)
            if 2 * len(rows) < len(varying):  # the matrix of the samples is the smaller one by far
                classes.append(row_spectrum(_center(rows).div_(math.sqrt(len(rows)))))
                small.add(rows.mul_(math.sqrt(weight)))
                continue
            covariance = _covariance(rows)
            within.add_(covariance, alpha=weight)
            found = covariance_spectrum(covariance, dim)
            classes.append(replace(found, values=found.values[: len(rows)]))
        small.finish()
        return classes, within if len(varying) == dim else _spread(within, varying, dim)

    def leading(self, offsets: Tensor, top: int, seed: int) -> tuple[CovarianceSpectrum, CovarianceSpectrum]:
        """Leading spectra within classes and in total, by blocks of vectors only.

        The total is looked at in the space that was found within the classes and the leading directions of
        the means: one range finder serves both.
        """

        def within(block: Tensor) -> Tensor:
            image = torch.zeros_like(block)
            for group in self.scaled(weighted=True):
                image += (group.T @ (group @ block.to(group.dtype))).double()
            return image

        dim, device = self._rows.shape[1], self._rows.device
        trace = sum(float(group.double().square().sum()) for group in self.scaled(weighted=True))
        basis, image = leading_space(within, dim, top, device, seed)
        first = CovarianceSpectrum(compressed(basis, image)[:top], trace, "range finder")
        found = basis.shape[1]
        means = torch.linalg.svd(offsets, full_matrices=False)[2][:found].T
        both, triangle = torch.linalg.qr(torch.cat([basis, means], dim=1))  # the basis, up to signs, and more
        seen = image * triangle.diagonal()[:found].sign()
        image = torch.cat([seen, within(both[:, found:])], dim=1) + offsets.T @ (offsets @ both)
        whole = trace + float(offsets.square().sum())
        return first, CovarianceSpectrum(compressed(both, image)[:top], whole, "range finder")


def _varying(rows: Tensor) -> Tensor:
    """Columns that hold more than one value, as the borders of padded images do not."""
    still = (rows[:FEW] == rows[:1]).all(dim=0)
    places = still.nonzero().squeeze(1)
    if len(places):
        still[places] = (rows[:, places] == rows[:1, places]).all(dim=0)
    return (~still).nonzero().squeeze(1)


def _spread(matrix: Tensor, places: Tensor, dim: int) -> Tensor:
    """A matrix of some features as one (D, D) of all, 0 elsewhere."""
    whole = matrix.new_zeros(dim, dim)
    whole[places.unsqueeze(1), places] = matrix
    return whole


def _covariance(rows: Tensor) -> Tensor:
    """Covariance (D, D) of rows, which may be changed."""
    mean = rows.mean(dim=0)
    if float(mean.square().sum()) > NEAR * float(rows[:FEW].square().sum(dim=1).mean()):
        return gram(_center(rows)).div_(len(rows))
    mean = mean.double()
    return gram(rows).div_(len(rows)).addr_(mean, mean, alpha=-1.0)


def _center(rows: Tensor) -> Tensor:
    """Subtract the mean of rows from them, in place."""
    for _ in range(2):  # what rounding of a mean far from the origin leaves is gone the second time
        rows.sub_(rows.mean(dim=0))
    return rows


class _Pile:
    """Adds the products of rows to a matrix (D, D), many classes' at a time."""

    def __init__(self, total: Tensor) -> None:
        self._total, self._count = total, 0
        self._parts: list[Tensor] = []

    def add(self, rows: Tensor) -> None:
        """Take rows (n, D) in."""
        self._parts.append(rows)
        self._count += len(rows)
        if self._count >= BLOCK:
            self.finish()

    def finish(self) -> None:
        """Add what was taken in since the last time."""
        if self._parts:
            self._total += gram(torch.cat(self._parts))
        self._parts, self._count = [], 0


def _by_rows(groups: _Groups, offsets: Tensor, means: Tensor, weights: ClassWeights) -> Pooled:
    rows = torch.cat(list(groups.scaled(weighted=True))).double()
    index = vci_from_rows(rows, means, weights.between, center=weights.center)
    total = row_spectrum(torch.cat([rows, offsets]))
    return Pooled(row_spectrum(rows), total, index, resolved=len(rows) - len(means) >= rows.shape[1])


def _between_rows(means: Tensor, weights: ClassWeights) -> Tensor:
    """Rows B (K+, D) with Bᵀ B the between-class covariance."""
    return centered(means, weights.center)[0] * weights.between.sqrt().unsqueeze(1)
