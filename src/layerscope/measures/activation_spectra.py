"""Spectra of the covariances of the features, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from layerscope.functional.covariance import CovarianceSpectrum
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because, each_split
from layerscope.statistics.class_spectra import TOP, ClassSpectra

POOLED = -1  # in place of a class
SKIPPED = "sketch"  # what there was no memory for


class ActivationCovSVs:
    r"""Leading eigenvalues of the class covariances, and of Σ_w, Σ_b and Σ_t = Σ_w + Σ_b.

    Qualifiers ``kind``: ``within_single`` (Σ_c of the class ``class``), ``within``, ``between``, ``total``
    (``class`` is -1); ``sigma_index``: 0-based, descending, at most 64; ``scale``: ``absolute`` (squared
    feature units), ``relative`` (divided by the exact trace), ``cumulative`` (the last one is the captured
    trace); ``method``: ``exact``, or how leading ones were estimated (degenerate), ``range finder`` or
    ``sketch``. ``samples`` are those they were computed from. One class has nothing between classes: its
    first eigenvalue there is undefined. Single classes are skipped (``class`` -1) when
    the memory is too small for them.
    """

    name = "ActivationCovSVs"
    qualifiers = ("kind", "class", "sigma_index", "scale", "method")
    needs = Need.MOMENTS | Need.SPECTRA

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Three values per eigenvalue, kind, layer and split."""
        for subject, spectra in _each(statistics):
            if not spectra.classes:
                place: dict[str, str | int] = {"kind": "within_single", "class": POOLED, "sigma_index": 0}
                place |= {"scale": "absolute", "method": SKIPPED}
                yield subject, Value(place, math.nan, "skipped")
            for kind, label, spectrum in _kinds(spectra):
                if kind == "between" and subject.classes < 2:
                    spectrum = replace(spectrum, values=spectrum.values[:1] * math.nan)
                for value in _eigenvalues(kind, label, spectrum):
                    yield subject, value


class ActivationStableRank:
    r"""Stable rank tr Σ_c / λ₁(Σ_c) of the features of every class, in [1, min(D, n_c - 1)].

    Qualifiers ``statistic``: ``class`` (of the class ``class``), ``mean`` (over the classes that have one),
    ``pooled`` (of Σ_w); ``class`` is -1 for the last two. ``method``: as of :class:`ActivationCovSVs`.
    Undefined for a class of one sample or without variance; degenerate where the largest eigenvalue is an
    estimate; single classes are skipped when the memory is too small for them.
    """

    name = "ActivationStableRank"
    qualifiers = ("statistic", "method", "class")
    needs = Need.MOMENTS | Need.SPECTRA

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per class and two more, per layer and split."""
        for subject, spectra in _each(statistics):
            for label, spectrum in zip(spectra.present.tolist(), spectra.classes, strict=True):
                yield subject, _stable_rank("class", label, spectrum)
            yield subject, _mean_stable_rank(spectra.classes)
            yield subject, _stable_rank("pooled", POOLED, spectra.within)


class VCI:
    r"""Variability collapse index, 1 - tr(Σ_t⁺ Σ_b)/rank Σ_b, in [0, 1]; 0 is collapse.

    Qualifier ``statistic``: ``vci``. No invertible linear map of the features changes it. Undefined when all
    means coincide; degenerate where directions vary so little that the rounding of the features hides it,
    and they are left out, or where there are fewer samples than features; skipped beyond 1,024 features with
    more than 1,024 samples. From float32 features it has about two digits where directions vary by little
    more than rounding.
    """

    name = "VCI"
    qualifiers = ("statistic",)
    needs = Need.MOMENTS | Need.SPECTRA

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per layer and split."""
        for subject, spectra in _each(statistics):
            skipped = math.isnan(spectra.vci) and not spectra.within.exact
            reason = because(rank=not spectra.resolved)
            status = "skipped" if skipped else ""
            yield subject, Value({"statistic": "vci"}, spectra.vci, status, reason=reason)


def _stable_rank(statistic: str, label: int, spectrum: CovarianceSpectrum) -> Value:
    rank = spectrum.stable_rank
    place: dict[str, str | int] = {"statistic": statistic, "method": spectrum.method, "class": label}
    return Value(place, rank, reason=because(estimate=not spectrum.exact))


def _mean_stable_rank(classes: Sequence[CovarianceSpectrum]) -> Value:
    """Mean over the classes that have one; skipped when there was no memory for the single classes."""
    known = [one.stable_rank for one in classes if not math.isnan(one.stable_rank)]
    mean = sum(known) / len(known) if known else math.nan
    methods = [one.method for one in classes if not one.exact]
    reason = because(estimate=bool(methods), left_out=len(known) < len(classes))
    status = "" if classes else "skipped"
    method = (methods or ["exact"])[0] if classes else SKIPPED
    return Value({"statistic": "mean", "method": method, "class": POOLED}, mean, status, reason=reason)


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
    reason = because(estimate=not spectrum.exact)
    scales = {"absolute": spectrum.values, "relative": relative, "cumulative": relative.cumsum(dim=0)}
    for scale, numbers in scales.items():
        unit = "feature^2" if scale == "absolute" else "1"
        for index, number in enumerate(numbers[:TOP].tolist()):
            place: dict[str, str | int] = {"kind": kind, "class": label, "sigma_index": index, "scale": scale}
            place["method"] = spectrum.method
            yield Value(place, number, unit=unit, reason=reason)
