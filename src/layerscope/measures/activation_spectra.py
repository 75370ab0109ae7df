"""Spectra of the covariances of the features, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from layerscope.functional.covariance import CovarianceSpectrum
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, each_split, status_of
from layerscope.statistics.class_spectra import TOP, ClassSpectra

POOLED = -1  # in place of a class


class ActivationCovSVs:
    r"""Leading eigenvalues of the class covariances, and of Σ_w, Σ_b and Σ_t = Σ_w + Σ_b.

    Qualifiers ``kind``: ``within_single`` (Σ_c of the class ``class``), ``within``, ``between``, ``total``
    (``class`` is -1); ``sigma_index``: 0-based, descending, at most 64; ``scale``: ``absolute`` (squared
    feature units), ``relative`` (divided by the exact trace), ``cumulative`` (the last one is the captured
    trace). Degenerate when the values are those of a randomized range finder. ``samples`` are those they
    were computed from.
    """

    name = "ActivationCovSVs"
    qualifiers = ("kind", "class", "sigma_index", "scale")
    needs = Need.MOMENTS | Need.SPECTRA

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Three values per eigenvalue, kind, layer and split."""
        for subject, spectra in _each(statistics):
            for kind, label, spectrum in _kinds(spectra):
                for value in _eigenvalues(kind, label, spectrum):
                    yield subject, value


class ActivationStableRank:
    r"""Stable rank tr Σ_c / λ₁(Σ_c) of the features of every class, in [1, min(D, n_c - 1)].

    Qualifiers ``statistic``: ``class`` (of the class ``class``), ``mean`` (over the classes that have one),
    ``pooled`` (of Σ_w); ``class`` is -1 for the last two. Undefined for a class of one sample or without
    variance.
    """

    name = "ActivationStableRank"
    qualifiers = ("statistic", "class")
    needs = Need.MOMENTS | Need.SPECTRA

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per class and two more, per layer and split."""
        for subject, spectra in _each(statistics):
            ranks = [spectrum.stable_rank for spectrum in spectra.classes]
            for label, rank in zip(spectra.present.tolist(), ranks, strict=True):
                yield subject, Value({"statistic": "class", "class": label}, rank)
            known = [rank for rank in ranks if not math.isnan(rank)]
            mean = sum(known) / len(known) if known else math.nan
            status = status_of(mean, degenerate=len(known) < len(ranks))
            yield subject, Value({"statistic": "mean", "class": POOLED}, mean, status)
            yield subject, Value({"statistic": "pooled", "class": POOLED}, spectra.within.stable_rank)


class VCI:
    r"""Variability collapse index, 1 - tr(Σ_t⁺ Σ_b)/rank Σ_b, in [0, 1]; 0 is collapse.

    Qualifier ``statistic``: ``vci``. No invertible linear map of the features changes it. Undefined when all
    means coincide; skipped beyond 1,024 features with more than 1,024 samples.
    """

    name = "VCI"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS | Need.SPECTRA

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per layer and split."""
        for subject, spectra in _each(statistics):
            skipped = math.isnan(spectra.vci) and not spectra.within.exact
            yield subject, Value({"statistic": "vci"}, spectra.vci, "skipped" if skipped else "")


def _each(statistics: CheckpointStatistics) -> Iterator[tuple[Subject, ClassSpectra]]:
    """Spectra of every layer and split, with the number of samples that they are from."""
    for subject, _, split, _ in each_split(statistics):
        if split.spectra is not None:
            yield replace(subject, samples=split.spectra.rows), split.spectra


def _kinds(spectra: ClassSpectra) -> Iterator[tuple[str, int, CovarianceSpectrum]]:
    for label, spectrum in zip(spectra.present.tolist(), spectra.classes, strict=True):
        yield "within_single", label, spectrum
    yield "within", POOLED, spectra.within
    yield "between", POOLED, spectra.between
    yield "total", POOLED, spectra.total


def _eigenvalues(kind: str, label: int, spectrum: CovarianceSpectrum) -> Iterator[Value]:
    relative = spectrum.relative
    scales = {"absolute": spectrum.values, "relative": relative, "cumulative": relative.cumsum(dim=0)}
    for scale, numbers in scales.items():
        unit = "feature^2" if scale == "absolute" else "1"
        for index, number in enumerate(numbers[:TOP].tolist()):
            place: dict[str, str | int] = {"kind": kind, "class": label, "sigma_index": index, "scale": scale}
            yield Value(place, number, status_of(number, degenerate=not spectrum.exact), unit)
