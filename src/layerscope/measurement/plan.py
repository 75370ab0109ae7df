"""How much memory a measurement needs, what is kept between the sweeps, and what is read again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from layerscope.errors import MeasurementError
from layerscope.features.taps import Layer
from layerscope.measurement.spectra_memory import SpectraMemory
from layerscope.measurement.weights_memory import WeightsMemory
from layerscope.measures.base import SECOND_SWEEP, Need
from layerscope.measures.weight_matrix import kept_vectors

MEANS = 6  # K×D at a time: the means of a layer, centred, weighted, decomposed
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
        What batches, class means and spectra take for a while, at most.
    groups : tuple of tuple of int
        Layers whose spectra are sketched in one sweep over a split that is not kept.
    pooled : frozenset of int
        Layers among them whose single classes are left out, for want of memory.
    workers : int
        Layers that are finished side by side.
    """

    cached: frozenset[str]
    state_bytes: int
    cache_bytes: int
    working_bytes: int = 0
    groups: tuple[tuple[int, ...], ...] = ()
    pooled: frozenset[int] = field(default_factory=frozenset)
    workers: int = 1

    @property
    def total_bytes(self) -> int:
        """All of it, at most."""
        return self.state_bytes + self.cache_bytes + self.working_bytes

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
    batch_size: int = 0,
    largest_class: int | None = None,
    weights: Sequence[tuple[int, int]] = (),
    workers: int = 1,
) -> Plan:
    """Keep the features of as many splits as the budget allows, and sketch the spectra of the others.

    Layers are finished side by side where the budget still allows it then.

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
    batch_size : int
        Images in one step.
    largest_class : int, optional
        Samples of one class in one split, at most; twice an even share when omitted.
    weights : sequence of (int, int)
        Shapes of the weights, as matrices, that are decomposed if a measure needs it.
    workers : int
        Threads that may each finish a layer.

    Raises
    ------
    MeasurementError
        The accumulators alone exceed the budget, or the spectra of one layer do, or a weight.
    """
    width, widest = sum(layer.dim for layer in layers), max(layer.dim for layer in layers)
    means = _means_bytes(layers, len(samples), num_classes, item_bytes, needs)
    taken = sum(min(count, sample) for count in samples.values()) if needs & Need.SAMPLE else 0
    if needs & Need.PARTNERS:
        taken += min(samples.get("train", 0), sample)
    vectors = kept_vectors(num_classes, many=bool(needs & Need.VECTORS))
    decomposed = WeightsMemory(weights if needs & Need.SPECTRUM else (), vectors)
    state = means + taken * width * item_bytes + decomposed.kept
    # One layer at a time: a batch, its offsets and what they are from; class means and what decomposes them.
    batch = min(batch_size, max(samples.values()))
    finishing = widest * num_classes * 8 * MEANS
    passing = widest * batch * (item_bytes + 8) + finishing
    if state + passing > memory_bytes:
        sampled = taken * width * item_bytes
        raise MeasurementError(_too_large(layers, num_classes, means + passing, sampled, memory_bytes))
    if state + decomposed.passing > memory_bytes:
        raise MeasurementError(_too_large_weights(weights, state + decomposed.passing, memory_bytes))
    passing = max(passing, decomposed.passing)
    spectra, reserve = None, 0
    if needs & Need.SPECTRA:
        largest = _even_share(samples, num_classes) if largest_class is None else largest_class
        spectra = SpectraMemory(layers, max(samples.values()), largest, num_classes, item_bytes)
        _check_room(spectra, memory_bytes - state - passing)
        reserve = spectra.wanted
    sizes = {split: width * count * item_bytes for split, count in samples.items()}
    room = memory_bytes - state - passing
    cached = _fitting(sizes, room - reserve) if needs & SECOND_SWEEP else frozenset()
    kept = sum(sizes[split] for split in cached)
    if spectra is None:
        each = max(finishing, decomposed.passing)
        return _side_by_side(Plan(cached, state, kept, passing), each, workers, memory_bytes)
    each = max(finishing + spectra.kept, decomposed.passing)
    if cached == set(samples):
        plan = Plan(cached, state, kept, passing + spectra.kept)
        return _side_by_side(plan, each, workers, memory_bytes)
    groups, pooled, sketched = spectra.grouped(room - kept)
    working = passing + max(sketched, spectra.kept if cached else 0)
    plan = Plan(cached, state, kept, working, groups, pooled)
    return _side_by_side(plan, each, workers, memory_bytes)


def _side_by_side(plan: Plan, each: int, workers: int, memory_bytes: int) -> Plan:
    """As many workers as there is room for, each of which takes so many bytes for a layer."""
    more = min(workers - 1, (memory_bytes - plan.total_bytes) // max(each, 1))
    return replace(plan, workers=1 + more, working_bytes=plan.working_bytes + more * each)


def _fitting(sizes: Mapping[str, int], room: int) -> frozenset[str]:
    """Splits whose features find room, in their order."""
    found = set()
    for split, size in sizes.items():
        if size <= room:
            found.add(split)
            room -= size
    return frozenset(found)


def _even_share(samples: Mapping[str, int], num_classes: int) -> int:
    """Twice an even share of the largest split, for classes that are not even."""
    most = max(samples.values())
    return min(2 * -(-most // max(num_classes, 1)), most)


def _means_bytes(layers: Sequence[Layer], splits: int, num_classes: int, item_bytes: int, needs: Need) -> int:
    """Reference points and sums of every class; of the second sweep, the directions of the means."""
    width = sum(layer.dim for layer in layers)
    total = splits * width * num_classes * (item_bytes + 8)
    if needs & (Need.SCATTER | Need.NEAREST):
        along = sum(layer.dim * min(layer.dim, max(num_classes - 1, 0)) for layer in layers)
        total += along * (8 * splits + 2 * (8 + item_bytes))  # kept; and read by one split at a time
    if needs & Need.OOD:
        total += width * 3 * 8
    return total


def _check_room(spectra: SpectraMemory, room: int) -> None:
    """Refuse layers of which not even one spectrum of all classes together fits.

    Raises
    ------
    MeasurementError
        Not even the pooled spectra of the hungriest layer fit.
    """
    if spectra.least > room:
        widest = max(spectra.layers, key=lambda layer: layer.dim)
        raise MeasurementError(
            f"the covariance spectra of layer {widest.name} with {widest.dim} features need "
            f"{_size(spectra.least)} beside the class means, more than is left of Measurements.memory "
            f"({_size(max(room, 0))}). Raise the budget, set Model.reduce to mean or project:N, or leave "
            "out ActivationCovSVs, ActivationStableRank and VCI."
        )


def _too_large_weights(weights: Sequence[tuple[int, int]], needed: int, budget: int) -> str:
    rows, columns = max(weights, key=lambda shape: min(shape) * max(shape))
    return (
        f"the singular values of the weights, the largest of {rows} x {columns}, and the class means need "
        f"{_size(needed)}, more than Measurements.memory ({_size(budget)}). Raise the budget, or leave out "
        "WeightSVs, WeightRanks, AngleBetweenSubspaces and MLPSVD."
    )


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
        f"the class means of {len(layers)} layers x {num_classes} classes, and a batch at one of them, need "
        f"{_size(means)}{also}, "
        f"more than Measurements.memory ({_size(budget)}). "
        f"The widest layer is {widest.name} with {widest.dim} features. "
        f"Raise the budget, {fewer}lower Measurements.batch-size, tap fewer layers, or set Model.reduce to "
        "mean or project:N."
    )
