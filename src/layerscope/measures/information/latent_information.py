"""Latent MI: mutual information of wide layers by nearest neighbours in learnt latent spaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from torch import Tensor

from layerscope.functional.latent_information import LatentInformation, latent_mutual_informations
from layerscope.functional.latent_training import LatentSettings
from layerscope.measures.base import CheckpointStatistics, Need, Subject, Value
from layerscope.measures.information.estimates import of_all_sizes
from layerscope.measures.information.observations import each_observed
from layerscope.measures.information.observed import Observed

Layers = Sequence[tuple[Subject, Observed]]
VARIABLES: dict[str, Callable[[Observed], Tensor]] = {
    "labels": lambda observed: observed.labels,
    "inputs": lambda observed: observed.inputs,
}


class LatentMI:
    r"""Mutual information of features with labels and with the inputs, between learnt latent spaces.

    Small networks compress each block; they learn from one half of the sample and are stopped early on the
    other, which gives the estimate; then the halves change places. Networks of all layers are trained
    together. Qualifiers ``variable``: ``labels``, ``inputs``; ``n``: samples. ``error``: half the difference
    of the two halves, whatever ``Measurements.repeats`` asks for; ``ceiling``: what the nearest-neighbour
    estimate of a half can be at most. A lower bound in the population; an estimate may lie above. Undefined
    below 200 samples; degenerate as :class:`~layerscope.measures.information.neighbor_information.KSG` is. It
    takes seconds per layer.
    """

    name = "LatentMI"
    qualifiers = ("variable", "n")
    needs = Need.SAMPLE

    def values(self, statistics: CheckpointStatistics) -> Iterator[tuple[Subject, Value]]:
        """Two values per layer and split."""
        ordered = sorted(each_observed(statistics), key=lambda pair: pair[1].split)
        for _, layers in groupby(ordered, key=lambda pair: pair[1].split):
            yield from latent_values(list(layers), VARIABLES)


def latent_values(
    layers: Layers, variables: Mapping[str, Callable[[Observed], Tensor]]
) -> Iterator[tuple[Subject, Value]]:
    """Information of the features of all layers of one split with variables, at every size of the sample."""
    subjects = [subject for subject, _ in layers]
    for parts in zip(*(of_all_sizes(observed) for _, observed in layers), strict=True):
        sized = [replace(subject, samples=len(parts[0])) for subject in subjects]
        yield from _learnt_together(list(zip(sized, parts, strict=True)), variables)


def _learnt_together(
    layers: Layers, variables: Mapping[str, Callable[[Observed], Tensor]]
) -> Iterator[tuple[Subject, Value]]:
    first = layers[0][1]
    settings = first.estimation.settings
    found = latent_mutual_informations(
        [(observed.features, of(observed)) for _, observed in layers for of in variables.values()],
        seed=first.estimation.seed,
        k=settings.neighbors,
        ids=first.images.indices[first.rows],
        settings=LatentSettings(dims=settings.latent_dims, epochs=settings.latent_epochs),
        units=settings.units,
    )
    places = [(subject, variable) for subject, _ in layers for variable in variables]
    for (subject, variable), information in zip(places, found, strict=True):
        place: dict[str, str | int] = {"variable": variable, "n": len(first)}
        yield subject, _value(place, information, first.estimation.unit)


def _value(place: dict[str, str | int], information: LatentInformation, unit: str) -> Value:
    if not information.folds:
        return Value(place, information.value, unit=unit)
    reason = "+".join(information.reasons)
    one, other = (fold.neighbors.value for fold in information.folds)
    error = abs(one - other) / 2
    return Value(place, information.value, "", unit, error, information.ceiling, reason)
