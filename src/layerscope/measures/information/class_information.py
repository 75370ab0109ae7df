"""ClassMI: how much of the information of a layer each class contributes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from layerscope.functional.binned import code_words
from layerscope.functional.discrete_information import class_mutual_information, joint_counts
from layerscope.functional.eigenvalues import spectral_entropy
from layerscope.functional.ksg import NeighborInformation
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value
from layerscope.measures.information.binned_information import Binning
from layerscope.measures.information.diffusion_entropy import ANY
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.observed import Observed

Numbers = Mapping[int, float]


class ClassMI:
    r"""What each class contributes to the information of features with labels and with the inputs.

    Qualifiers ``estimator``: ``ksg`` (mean of what the samples of the class contribute to KSG), ``dsmi``
    (:math:`S(X)-S(X|y)`), or a binning (:math:`\sum_t p(t|y)\ln\frac{p(t|y)}{p(t)}`); ``variable``:
    ``labels``, for ``ksg`` also ``inputs``; ``t``: power of the diffusion, else ``any``; ``class``; ``n``:
    samples. Means over the classes, weighted with their frequencies, are the values of KSG, of DSMI
    ``full`` and of BinnedMI ``labels``. A class of one sample is undefined for ``ksg`` of labels.
    """

    name = "ClassMI"
    qualifiers = ("estimator", "variable", "t", "class", "n")
    needs = Need.SAMPLE

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """A few values per class of each layer and split."""
        yield from estimated_values(statistics, self.qualifiers, _information)


def _information(observed: Observed) -> Mapping[Place, Estimate]:
    settings, found = observed.estimation.settings, dict[Place, Estimate]()

    def note(estimator: str, variable: str, t: str, values: Numbers) -> None:
        for label, value in values.items():
            found[estimator, variable, t, label] = Estimate(value, observed.estimation.unit)

    note("ksg", "labels", ANY, _of_labels(observed))
    note("ksg", "inputs", ANY, _means(observed.input_neighbors, observed.labels))
    for t in settings.times:
        note("dsmi", "labels", f"{t:g}", _of_spectra(observed, t))
    for binning in settings.binnings:
        note(binning, "labels", ANY, _of_words(observed, binning))
    return found


def _of_labels(observed: Observed) -> Numbers:
    """Classes of one sample are no part of the estimate."""
    labels = observed.labels
    several = labels.bincount()[labels] > 1
    found = {int(label): math.nan for label in labels.unique()}  # type: ignore[no-untyped-call]
    return {**found, **_means(observed.label_neighbors, labels[several])}


def _means(information: NeighborInformation | None, labels: Tensor) -> Numbers:
    """Mean over the samples of each class; NaN where nothing is estimated."""
    if information is None:
        return {int(label): math.nan for label in labels.unique()}  # type: ignore[no-untyped-call]
    present, member, counts = torch.unique(labels, return_inverse=True, return_counts=True)
    sums = torch.zeros(len(present), dtype=torch.float64, device=labels.device)
    means = sums.index_add(0, member, information.pointwise) / counts
    return dict(zip(present.tolist(), means.tolist(), strict=True))


def _of_spectra(observed: Observed, t: float) -> Numbers:
    units = observed.estimation.settings.units
    present = torch.unique(observed.labels).tolist()
    if not observed.has_kernel:
        return dict.fromkeys(present, math.nan)
    whole = spectral_entropy(observed.spectrum, t, units=units)
    parts = observed.label_parts.classes
    return {
        label: whole - spectral_entropy(part, t, units=units)
        for label, part in zip(present, parts, strict=True)
    }


def _of_words(observed: Observed, binning: str) -> Numbers:
    cut = Binning.of(binning)
    present, member = torch.unique(observed.labels, return_inverse=True)
    if cut.outside(observed.features):
        return dict.fromkeys(present.tolist(), math.nan)
    words = code_words(observed.features, bins=cut.bins, edges=cut.edges, limits=cut.limits)
    table = joint_counts(member, words, len(present), int(words.max()) + 1)
    each = class_mutual_information(table, units=observed.estimation.settings.units)
    return dict(zip(present.tolist(), each.tolist(), strict=True))
