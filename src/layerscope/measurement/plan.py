"""How much memory a measurement needs, what is kept between the sweeps, and what is read again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from layerscope.errors import MeasurementError
from layerscope.features.taps import Layer
from layerscope.functional.covariance import EXACT
from layerscope.measures.base import SECOND_SWEEP, Need
from layerscope.statistics.class_sketches import sketch_bytes

SMALL_IMAGE = 3 * 64 * 64  # values per image up to which large batches are affordable


@dataclass(frozen=True)
class Plan:
    """Memory of one checkpoint's measurement, and the sweeps that it takes.

    Attributes
    ----------
    cached : frozenset of str
        Splits whose features are kept between the sweeps; the others are forwarded again.
    state_bytes : int
        Accumulators and samples of all layers and splits.
    cache_bytes : int
        Kept features.
    working_bytes : int
        What the spectra of covariances take for a while, at most.
    groups : tuple of tuple of int
        Layers whose spectra are sketched in one sweep over a split that is not kept.
    pooled : frozenset of int
        Layers among them whose single classes are left out, for want of memory.
    """

    cached: frozenset[str]
    state_bytes: int
    cache_bytes: int
    working_bytes: int = 0
    groups: tuple[tuple[int, ...], ...] = ()
    pooled: frozenset[int] = field(default_factory=frozenset)

    @property
    def second_sweeps(self) -> int:
        """How often a split that is not kept is read again, when anything needs the means."""
        return max(len(self.groups), 1)


def make_plan(
    layers: Sequence[Layer],
    samples: Mapping[str, int],
    num_classes: int,
    needs: Need,
    *,
    memory_bytes: int,
    item_bytes: int,
    sample: int = 0,
) -> Plan:
    """Keep the features of as many splits as the budget allows, and sketch the spectra of the others.

    Parameters
    ----------
    layers : sequence of Layer
    samples : mapping
        Split name → number of samples.
    num_classes : int
    needs : Need
    memory_bytes : int
        Budget (``Measurements.memory``) for accumulators, kept features, samples and spectra together.
    item_bytes : int
        Bytes of one feature.
    sample : int
        Images of each split whose features are kept for measures of a sample.

    Raises
    ------
    MeasurementError
        The accumulators alone exceed the budget, or the spectra of one layer do.
    """
    width = sum(layer.dim for layer in layers)
    # Reference points, sums, and the means made of them.
    means = width * num_classes * (item_bytes + 2 * 8) * len(samples)
    taken = sum(min(count, sample) for count in samples.values()) if needs & Need.SAMPLE else 0
    if needs & Need.PARTNERS:
        taken += min(samples.get("train", 0), sample)
    state = means + taken * width * item_bytes
    if state > memory_bytes:
        raise MeasurementError(_too_large(layers, num_classes, means, state - means, memory_bytes))
    spectra = _Spectra(layers, samples, num_classes, item_bytes) if needs & Need.SPECTRA else None
    reserve = 0 if spectra is None else spectra.reserve(memory_bytes - state)
    cached, kept = set(), 0
    if needs & SECOND_SWEEP:
        for split, count in samples.items():
            size = width * count * item_bytes
            if state + reserve + kept + size <= memory_bytes:
                cached.add(split)
                kept += size
    if spectra is None:
        return Plan(frozenset(cached), state, kept)
    return spectra.planned(frozenset(cached), state, kept, memory_bytes - state - kept)


class _Spectra:
    """What the spectra of each layer take."""

    def __init__(
        self, layers: Sequence[Layer], samples: Mapping[str, int], num_classes: int, item_bytes: int
    ) -> None:
        self.layers, self.samples = layers, samples
        self.by_class = [sketch_bytes(num_classes, layer.dim, by_class=True) for layer in layers]
        self.pooled = [sketch_bytes(num_classes, layer.dim, by_class=False) for layer in layers]
        rows = 2 * max(samples.values()) // max(num_classes, 1)  # of one class, when classes are not even
        narrow = [min(layer.dim, EXACT) ** 2 for layer in layers]
        self.kept = max(
            2 * rows * layer.dim * item_bytes + 4 * 8 * square
            for layer, square in zip(layers, narrow, strict=True)
        )

    def reserve(self, room: int) -> int:
        """What has to stay free while features are kept.

        Raises
        ------
        MeasurementError
            Not even the pooled spectra of the widest layer fit.
        """
        least = max(self.pooled)
        if least > room:
            widest = max(self.layers, key=lambda layer: layer.dim)
            raise MeasurementError(
                f"the covariance spectra of layer {widest.name} with {widest.dim} features need "
                f"{_size(least)} beside the class means, more than is left of Measurements.memory "
                f"({_size(max(room, 0))}). Raise the budget, set Model.reduce to mean or project:N, or leave "
                "out ActivationCovSVs, ActivationStableRank and VCI."
            )
        wanted = max(*self.by_class, self.kept, least)
        return wanted if wanted <= room else least

    def planned(self, cached: frozenset[str], state: int, kept: int, room: int) -> Plan:
        """Layers are put together into as few sweeps as the room allows."""
        if cached == set(self.samples):
            return Plan(cached, state, kept, min(self.kept, room))
        groups: list[list[int]] = [[]]
        sizes, pooled = [0], set()
        for index, size in enumerate(self.by_class):
            if size > room:
                pooled.add(index)
                size = self.pooled[index]
            if sizes[-1] + size > room:
                groups.append([])
                sizes.append(0)
            groups[-1].append(index)
            sizes[-1] += size
        working = max(*sizes, min(self.kept, room) if cached else 0)
        return Plan(cached, state, kept, working, tuple(map(tuple, groups)), frozenset(pooled))


def default_batch_size(shape: Sequence[int]) -> int:
    """Images in one step of measuring when ``Measurements.batch-size`` is not set, for images (C, H, W)."""
    return 1024 if math.prod(shape) <= SMALL_IMAGE else 128


def _size(count: int) -> str:
    power = min(max(count.bit_length() - 1, 10) // 10, 3)
    return f"{count / 1024**power:.2f} {'_KMG'[power]}iB"


def _too_large(layers: Sequence[Layer], num_classes: int, means: int, sample: int, budget: int) -> str:
    widest = max(layers, key=lambda layer: layer.dim)
    also = f" and the samples of their features {_size(sample)}" if sample else ""
    fewer = "lower Measurements.sample, " if sample else ""
    return (
        f"the class means of {len(layers)} layers x {num_classes} classes need {_size(means)}{also}, "
        f"more than Measurements.memory ({_size(budget)}). "
        f"The widest layer is {widest.name} with {widest.dim} features. "
        f"Raise the budget, {fewer}tap fewer layers, or set Model.reduce to mean or project:N."
    )
