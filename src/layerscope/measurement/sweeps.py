"""One checkpoint's statistics, in the fewest sweeps over the data.

The first sweep forwards every split once and sums the class moments of every layer inside the hooks. What
needs the final means (within-class variance along them, nearest means) follows in a second sweep, over
the offsets that the first one kept when they fit the memory budget, over the data again when not.

When several processes share the run, each reads its own stretch of every split, and what they saw is merged
after each sweep; kept offsets are from reference points of each process' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from layerscope.data.split import Split
from layerscope.data.split_part import own_part
from layerscope.distributed.exchange import anybody, merged, shared
from layerscope.distributed.ranks import world_size
from layerscope.errors import MeasurementError
from layerscope.features.evaluation import evaluating, full_precision
from layerscope.features.layers import LayerSpec
from layerscope.features.reduce import Reduce
from layerscope.features.taps import Layer, Taps, Where
from layerscope.functional.between import BetweenBasis, between_basis
from layerscope.functional.spectra import spectrum
from layerscope.measurement.coordinates import Coordinates
from layerscope.measurement.plan import Plan
from layerscope.measures.base import (
    SECOND_SWEEP,
    CheckpointStatistics,
    LayerStatistics,
    Need,
    SplitStatistics,
)
from layerscope.measures.weight_matrix import weight_matrix
from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_scatter import DirectionalScatter
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.nearest_center import NearestCenter
from layerscope.training.watch import never

Loss = Callable[[Tensor, Tensor, int], Tensor]


class Interrupted(Exception):
    """Somebody asked to stop in the middle of a checkpoint."""


ROWS = 4096  # rows of kept offsets that are read at a time


@dataclass(frozen=True)
class Setup:
    """What stays the same over the checkpoints of a run; its processes share the splits."""

    splits: Mapping[str, Split]
    layers: Sequence[Layer]
    spec: LayerSpec
    where: Where
    reduce_name: str
    reduce: Reduce
    loss: Loss
    weighting: str
    batch_size: int
    dtype: torch.dtype
    device: torch.device
    loss_unit: str = "nat"


class Collector:
    """Collects the statistics of one checkpoint after another, reusing the memory of kept offsets.

    Parameters
    ----------
    setup : Setup
    plan : Plan
    should_stop
        Asked between sweeps; a process that is alone is also asked before every batch.
    """

    def __init__(self, setup: Setup, plan: Plan, should_stop: Callable[[], bool] = never) -> None:
        self.setup, self.plan = setup, plan
        self.should_stop = should_stop
        self._parts = {name: own_part(split) for name, split in setup.splits.items()}
        self._kept: dict[tuple[str, int], Tensor] = {}
        self._references: dict[tuple[str, int], Tensor] = {}

    def collect(self, model: nn.Module, needs: Need) -> CheckpointStatistics:
        """Statistics of ``model`` as it is now: eval mode, no augmentation. The model is left as it was.

        Raises
        ------
        MeasurementError
            Features of a layer are not finite; the message names layer, split and samples.
        Interrupted
            Somebody asked to stop.
        """
        setup = self.setup
        entries = [self._entry(model, layer, needs) for layer in setup.layers]
        statistics = CheckpointStatistics(setup.weighting, entries, loss_unit=setup.loss_unit)
        if not needs & (Need.DECISIONS | Need.MOMENTS):
            return statistics
        decided: dict[str, Tensor] = {}
        with torch.no_grad(), evaluating(model), full_precision():
            for name in setup.splits:
                self._pause()
                decided[name] = self._first_sweep(model, name, statistics, needs)
            if needs & SECOND_SWEEP:
                for name in setup.splits:
                    self._pause()
                    self._second_sweep(model, name, statistics, decided[name])
        return statistics

    def _pause(self) -> None:
        if anybody(self.should_stop()):
            raise Interrupted

    def _entry(self, model: nn.Module, layer: Layer, needs: Need) -> LayerStatistics:
        module = model.get_submodule(layer.module_name)
        matrix = weight_matrix(module) if needs & Need.SPECTRUM else None
        decomposition = spectrum(matrix) if matrix is not None else None
        return LayerStatistics(
            layer, module, self.setup.where, self.setup.reduce_name, spectrum=decomposition
        )

    def _first_sweep(
        self, model: nn.Module, name: str, statistics: CheckpointStatistics, needs: Need
    ) -> Tensor:
        """Moments of every layer and the network's decisions on one split.

        Returns the decisions on the samples that this process reads, in their order.
        """
        part, classes, device = self._parts[name], self._parts[name].num_classes, self.setup.device
        decisions = Decisions(classes, device=device)
        for entry in statistics.layers:
            moments = ClassMoments(classes, entry.layer.dim, device=device, dtype=self.setup.dtype)
            entry.splits[name] = SplitStatistics(moments if needs & Need.MOMENTS else None)
        decided = []

        def receive(entry: LayerStatistics, features: Tensor, labels: Tensor, start: int) -> None:
            moments = entry.splits[name].moments
            if moments is not None:
                moments.update(features, labels, out=self._slot(name, entry.layer, start, len(labels)))

        for logits, labels in self._forward(model, name, statistics, receive):
            loss = self.setup.loss(logits, labels, classes)
            decided.append(decisions.update(logits, labels, loss))
        assert decisions.samples == len(part)
        statistics.decisions[name] = merged(decisions)
        for entry in statistics.layers:
            own = entry.splits[name].moments
            if own is not None:
                self._references[name, entry.layer.index] = own.reference
                entry.splits[name].moments = merged(own)
        return torch.cat([part.labels[:0], *decided])  # a process may have nothing to read

    def _second_sweep(
        self, model: nn.Module, name: str, statistics: CheckpointStatistics, decided: Tensor
    ) -> None:
        """Within-class variance along the class means, and nearest train means, on one split."""
        readers = [self._coordinates(entry, name) for entry in statistics.layers]
        self._read_again(model, name, statistics, decided, readers)
        for entry, reader in zip(statistics.layers, readers, strict=True):
            split = entry.splits[name]
            split.scatter = merged(reader.scatter)
            split.nearest = None if reader.nearest is None else merged(reader.nearest)

    def _read_again(
        self,
        model: nn.Module,
        name: str,
        statistics: CheckpointStatistics,
        decided: Tensor,
        readers: Sequence[Coordinates],
    ) -> None:
        """Hand the offsets of one split on, as they were kept or from another forward pass."""
        if name in self.plan.cached:
            labels = self._parts[name].labels
            for entry, reader in zip(statistics.layers, readers, strict=True):
                for start in range(0, len(labels), ROWS):
                    rows = slice(start, start + ROWS)
                    kept = self._kept[name, entry.layer.index]
                    reader.update(kept[rows], labels[rows], decided[rows])
            return

        def receive(entry: LayerStatistics, features: Tensor, labels: Tensor, start: int) -> None:
            reference = self._references[name, entry.layer.index]
            offsets = features.to(reference.dtype) - embedding(labels, reference)
            readers[entry.layer.index].update(offsets, labels, decided[start : start + len(labels)])

        for _ in self._forward(model, name, statistics, receive):
            pass

    def _coordinates(self, entry: LayerStatistics, name: str) -> Coordinates:
        """Accumulators of the second sweep for one layer and split."""
        split, train = entry.splits[name], entry.splits.get("train", entry.splits[name])
        moments = split.moments
        assert moments is not None
        assert train.moments is not None
        for part in (train, split):
            if part.basis is None and part.moments is not None:
                part.basis = self._basis(part.moments)
        assert split.basis is not None
        assert train.basis is not None
        scatter = DirectionalScatter(moments.num_classes, split.basis.rank, device=self.setup.device)
        nearest = None
        if "train" in entry.splits:
            centers = (train.moments.means - train.basis.center) @ train.basis.directions
            nearest = NearestCenter(centers, train.moments.present, moments.num_classes)
        reference = self._references[name, entry.layer.index]
        return Coordinates(moments, reference, split.basis, scatter, train.basis, nearest)

    def _basis(self, moments: ClassMoments) -> BetweenBasis:
        """Directions of the class means: one process' own, since directions have no sign of their own."""
        return shared(lambda: between_basis(moments.means, moments.weights(self.setup.weighting)))

    def _forward(
        self,
        model: nn.Module,
        name: str,
        statistics: CheckpointStatistics,
        receive: Callable[[LayerStatistics, Tensor, Tensor, int], None],
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Forward one split in stored order, handing on every layer's features; yields logits, labels."""
        setup, part = self.setup, self._parts[name]
        by_call = {(e.layer.module_name, e.layer.call): e for e in statistics.layers}
        start, batch_labels = 0, torch.empty(0, dtype=torch.int64)

        def hand_on(module_name: str, call: int, values: Tensor) -> None:
            entry = by_call[module_name, call]
            try:
                receive(entry, setup.reduce(values), batch_labels, start)
            except ValueError as error:
                first = part.first + start
                last = first + len(batch_labels) - 1
                place = f"layer {entry.layer.name}, {name} split, samples {first} to {last}"
                raise MeasurementError(f"{place}: {error}") from error

        with Taps(model, setup.spec, hand_on, setup.where):
            for images, labels in part.batches(setup.batch_size):
                if world_size() == 1:
                    self._pause()
                batch_labels = labels
                yield model(images.to(setup.dtype)), labels
                start += len(labels)

    def _slot(self, name: str, layer: Layer, start: int, count: int) -> Tensor | None:
        """Where the offsets of these samples are kept, or None when they are not."""
        if name not in self.plan.cached:
            return None
        key = (name, layer.index)
        if key not in self._kept:
            size = (len(self._parts[name]), layer.dim)
            self._kept[key] = torch.empty(size, dtype=self.setup.dtype, device=self.setup.device)
        return self._kept[key][start : start + count]
