"""From which layer on a network is collapsed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

THRESHOLD = 0.2
"""CDNV below which a layer counts as collapsed (Rangamani et al. 2023)."""


class NCLayer(NamedTuple):
    """Positions in execution order, None where no layer fits.

    Attributes
    ----------
    first
        First layer below the threshold.
    persistent
        First layer from which on all are.
    """

    first: int | None
    persistent: int | None


def nc_layer(values: Sequence[float], threshold: float = THRESHOLD) -> NCLayer:
    """The NC layer of a network from one value per layer, such as the mean CDNV, in execution order.

    NaN and infinite values are never below.

    References
    ----------
    Rangamani, Lindegaard, Galanti, Poggio (2023), Feature learning in deep classifiers through intermediate
    neural collapse, ICML (PMLR 202).
    """
    below = [value < threshold for value in values]
    first = next((place for place, yes in enumerate(below) if yes), None)
    persistent = len(below)
    while persistent and below[persistent - 1]:
        persistent -= 1
    return NCLayer(first, persistent if persistent < len(below) else None)
