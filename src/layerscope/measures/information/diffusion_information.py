"""DSMI: what labels, or the inputs, tell about a layer's points, by the entropy of a diffusion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from torch import Tensor

from layerscope.functional.binned import entropy_of_counts
from layerscope.functional.class_parts import ClassInformation
from layerscope.functional.diffusion_information import spectral_information
from layerscope.functional.units import in_units
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because
from layerscope.measures.information.diffusion_entropy import ANY
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.observed import Observed


class DSMI:
    r"""Diffusion spectral mutual information of features with labels, and with the inputs.

    Qualifiers ``variable``: ``labels``, or ``inputs`` (the images, clustered once for all layers and
    checkpoints); ``statistic``: ``full`` (the definition), ``matched`` (samples of one size; its
    ``ceiling`` is the entropy of random subsets as large as the classes), ``label_entropy`` (H of the
    variable); ``t``; ``n``: samples. ``full`` and ``matched`` may be negative and exceed H. ``matched`` is
    degenerate above 95 % of its ceiling. ``error`` is that of half samples (``Measurements.repeats``), else
    that of the random subsets. Undefined with no more samples than the K of a bandwidth ``knn:K``.
    """

    name = "DSMI"
    qualifiers = ("variable", "statistic", "t", "n")
    needs = Need.SAMPLE

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per variable and power, and the entropy of each variable, for every layer and split."""
        yield from estimated_values(statistics, self.qualifiers, _information)


SATURATED = 0.95


def _information(observed: Observed) -> Mapping[Place, Estimate]:
    found: dict[Place, Estimate] = {}
    for variable, labels in (("labels", observed.labels), ("inputs", observed.clusters)):
        for t, information in _by_power(observed, labels):
            for statistic, estimate in _estimates(information, observed.estimation.unit).items():
                power = ANY if statistic == "label_entropy" else f"{t:g}"
                found[variable, statistic, power] = estimate
    return found


def _by_power(observed: Observed, labels: Tensor) -> Iterator[tuple[float, ClassInformation]]:
    """Each power, and what labels tell by it; undefined where the samples are too few for the kernel."""
    settings = observed.estimation.settings
    if not observed.has_kernel:
        entropy = in_units(entropy_of_counts(labels.bincount()), settings.units)
        yield from ((t, ClassInformation(math.nan, math.nan, math.nan, entropy)) for t in settings.times)
        return
    parts = observed.label_parts if labels is observed.labels else observed.parts_of(labels)
    yield from ((t, spectral_information(parts, t, units=settings.units)) for t in settings.times)


def _estimates(information: ClassInformation, unit: str) -> dict[str, Estimate]:
    matched, ceiling = information.matched, information.matched_entropy
    reason = because(ceiling=ceiling > 0 and matched > SATURATED * ceiling)
    return {
        "full": Estimate(information.full, unit, error=information.full_error or None),
        "matched": Estimate(matched, unit, reason, information.matched_error, ceiling),
        "label_entropy": Estimate(information.label_entropy, unit),
    }
