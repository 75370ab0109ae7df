"""How much memory a measurement needs, and what is kept between the two sweeps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from layerscope.errors import MeasurementError
from layerscope.features.taps import Layer
from layerscope.measures.base import SECOND_SWEEP, Need

SMALL_IMAGE = 3 * 64 * 64  # values per image up to which large batches are affordable


@dataclass(frozen=True)
class Plan:
    """Memory of one checkpoint's measurement.

    Attributes
    ----------
    cached : frozenset of str
        Splits whose features are kept between the sweeps; the others are forwarded again.
    state_bytes : int
        Accumulators of all layers and splits.
    cache_bytes : int
        Kept features.
    """

    cached: frozenset[str]
    state_bytes: int
    cache_bytes: int


def make_plan(
    layers: Sequence[Layer],
    samples: Mapping[str, int],
    num_classes: int,
    needs: Need,
    *,
    memory_bytes: int,
    item_bytes: int,
) -> Plan:
    """Keep the features of as many splits as the budget allows.

    Parameters
    ----------
    layers : sequence of Layer
    samples : mapping
        Split name → number of samples.
    num_classes : int
    needs : Need
    memory_bytes : int
        Budget (``Measurements.memory``) for accumulators and kept features together.
    item_bytes : int
        Bytes of one feature.

    Raises
    ------
    MeasurementError
        The accumulators alone exceed the budget.
    """
    width = sum(layer.dim for layer in layers)
    per_split = (
        width * num_classes * (item_bytes + 2 * 8)
    )  # reference points, sums, and the means made of them
    state = per_split * len(samples)
    if state > memory_bytes:
        raise MeasurementError(_too_large(layers, num_classes, state, memory_bytes))
    cached, kept = set(), 0
    if needs & SECOND_SWEEP:
        for split, count in samples.items():
            size = width * count * item_bytes
            if state + kept + size <= memory_bytes:
                cached.add(split)
                kept += size
    return Plan(frozenset(cached), state, kept)


def default_batch_size(shape: Sequence[int]) -> int:
    """Images in one step of measuring when ``Measurements.batch-size`` is not set, for images (C, H, W)."""
    return 1024 if math.prod(shape) <= SMALL_IMAGE else 128


def _size(count: int) -> str:
    power = min(max(count.bit_length() - 1, 10) // 10, 3)
    return f"{count / 1024**power:.2f} {'_KMG'[power]}iB"


def _too_large(layers: Sequence[Layer], num_classes: int, state: int, budget: int) -> str:
    widest = max(layers, key=lambda layer: layer.dim)
    return (
        f"the class means of {len(layers)} layers x {num_classes} classes need {_size(state)}, "
        f"more than Measurements.memory ({_size(budget)}). "
        f"The widest layer is {widest.name} with {widest.dim} features. "
        "Raise the budget, tap fewer layers, or set Model.reduce to mean or project:N."
    )
