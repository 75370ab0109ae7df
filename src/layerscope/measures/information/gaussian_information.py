"""Gaussian mutual information: what linear dependence alone tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from layerscope.functional.gaussian_information import GaussianInformation, gaussian_mutual_information
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value, because
from layerscope.measures.information.estimates import Estimate, Place, estimated_values
from layerscope.measures.information.observed import Observed


class GaussianMI:
    r"""Mutual information of features with labels and with the inputs as if all were jointly Gaussian.

    Of the leading principal components, as in :class:`KSG`; labels are one-hot vectors without the last
    class. Qualifiers ``variable``: ``labels``, ``inputs``; ``statistic``: ``value``, ``unbiased`` (minus what
    independent Gaussian samples would give); ``components``; ``n``: samples. It sees linear dependence only.
    With labels the ``ceiling`` is their entropy, and what lies above it degenerate: labels are not Gaussian.
    Undefined with too few samples, infinite when features and variable determine each other linearly.
    """

    name = "GaussianMI"
    qualifiers = ("variable", "statistic", "components", "n")
    needs = Need.SAMPLE

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Four values per layer and split."""
        yield from estimated_values(statistics, self.qualifiers, _information)


def _information(observed: Observed) -> Mapping[Place, Estimate]:
    settings, unit = observed.estimation.settings, observed.estimation.unit
    components = str(settings.components or "all")
    found: dict[Place, Estimate] = {}
    for variable, values in {
        "labels": _one_hot(observed.labels),
        "inputs": observed.input_components,
    }.items():
        information = gaussian_mutual_information(observed.components, values, units=settings.units)
        for statistic in ("value", "unbiased"):
            number = getattr(information, statistic)
            ceiling = observed.label_entropy if variable == "labels" else None
            found[variable, statistic, components] = linear_estimate(information, number, unit, ceiling)
    return found


def linear_estimate(
    information: GaussianInformation, number: float, unit: str, ceiling: float | None
) -> Estimate:
    """A number of linear information; degenerate as that is, and when it exceeds what there is to be told."""
    reason = because(
        constant=0 in information.dims,
        ridge=information.ridge > 0,
        ceiling=ceiling is not None and number > ceiling,
    )
    return Estimate(number, unit, reason, ceiling=ceiling)


def _one_hot(labels: Tensor) -> Tensor:
    """Indicators (n, K+ - 1) of all classes that occur but the last, which the others determine."""
    present, place = torch.unique(labels, return_inverse=True)
    return torch.nn.functional.one_hot(place, len(present))[:, :-1].double()
