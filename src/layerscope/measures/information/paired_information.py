"""PairedMI: what a layer's features of a test image tell about those of the train image like it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from layerscope.functional.gaussian_information import gaussian_mutual_information
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value
from layerscope.measures.information.discrete_information import nowhere
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.gaussian_information import linear_estimate
from layerscope.measures.information.latent_information import latent_values
from layerscope.measures.information.neighbor_information import neighbor_estimate
from layerscope.measures.information.observations import each_paired
from layerscope.measures.information.observed import Observed

NOTHING = "none"  # where there are no pairs to estimate from


class PairedMI:
    r"""Mutual information of a layer's features on test images and on the train images paired with them.

    Between the leading principal components of both, as in KSG and GaussianMI, for the sample of the test
    split. Qualifiers ``estimator``: ``ksg``, ``gaussian`` (minus what independent samples would give);
    ``components``; ``n``: pairs. Train images that several test images are paired with come several times.
    Degenerate as the estimators are, and ``gaussian`` above its ``ceiling``, the entropy of the test images'
    labels: what far groups share is which group it is, and no Gaussian has groups. Skipped when train or
    test split are not measured.
    """

    name = "PairedMI"
    qualifiers = ("estimator", "components", "n")
    needs = Need.SAMPLE | Need.PAIRS | Need.PARTNERS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per layer."""
        found = list(estimated_values(statistics, self.qualifiers, _information, each_paired))
        if not found:
            place: dict[str, str | int] = {"estimator": NOTHING, "components": NOTHING, "n": 0}
            yield nowhere(statistics), Value(place, math.nan, "skipped", statistics.estimation.unit)
        yield from found


class PairedLatentMI:
    r"""The same between learnt latent spaces, as :class:`LatentMI` is; it takes seconds per layer.

    Qualifiers ``variable``: ``pairs``; ``n``: pairs. Undefined below 200.
    """

    name = "PairedLatentMI"
    qualifiers = ("variable", "n")
    needs = Need.SAMPLE | Need.PAIRS | Need.PARTNERS

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """One value per layer."""
        layers = list(each_paired(statistics))
        if not layers:
            place: dict[str, str | int] = {"variable": NOTHING, "n": 0}
            yield nowhere(statistics), Value(place, math.nan, "skipped", statistics.estimation.unit)
            return
        yield from latent_values(layers, {"pairs": lambda observed: observed.inputs})


def _information(observed: Observed) -> Mapping[Place, Estimate]:
    settings, unit = observed.estimation.settings, observed.estimation.unit
    components = str(settings.components or "all")
    linear = gaussian_mutual_information(observed.components, observed.input_components, units=settings.units)
    number = linear.unbiased if math.isfinite(linear.value) else linear.value
    return {
        ("ksg", components): neighbor_estimate(observed.input_neighbors, unit),
        ("gaussian", components): linear_estimate(linear, number, unit, observed.label_entropy),
    }
