"""One checkpoint's statistics, in the fewest sweeps over the data.

The first sweep forwards every split once and sums the class moments of every layer inside the hooks. What
needs the final means (within-class variance along them, nearest means) follows in a second sweep, over
the offsets that the first one kept when they fit the memory budget, over the data again when not.

When several processes share the run, each reads its own stretch of every split, and what they saw is merged
after each sweep; kept offsets are from reference points of each process' own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from layerscope.data.split_part import SplitPart, own_part
from layerscope.distributed.exchange import anybody, gathered, merged, shared
from layerscope.distributed.ranks import world_size
from layerscope.errors import MeasurementError
from layerscope.features.evaluation import evaluating, full_precision
from layerscope.features.taps import Layer
from layerscope.functional.spectra import spectrum
from layerscope.measurement.chosen_images import SAMPLE, ChosenImages
from layerscope.measurement.coordinates import Coordinates
from layerscope.measurement.forwarding import Batch, Receive, forwarded
from layerscope.measurement.image_taps import ImageTaps
from layerscope.measurement.kept_memory import kept_memory
from layerscope.measurement.plan import Plan
from layerscope.measurement.sample_rows import IMAGES, SampleRows
from layerscope.measurement.setup import Setup
from layerscope.measurement.side_by_side import Work, side_by_side
from layerscope.measurement.spectra import SketchReader, kept_spectra
from layerscope.measures.base import (
    EVERY_IMAGE,
    FIRST_SWEEP,
    SECOND_SWEEP,
    CheckpointStatistics,
    LayerStatistics,
    Need,
    SplitStatistics,
    basis_by,
)
from layerscope.measures.weight_matrix import kept_vectors, weight_matrix
from layerscope.statistics.class_moments import ClassMoments
from layerscope.statistics.class_scatter import DirectionalScatter
from layerscope.statistics.decisions import Decisions
from layerscope.statistics.label_groups import LabelGroups, NewestGroups
from layerscope.statistics.nearest_center import NearestCenter
from layerscope.statistics.ood_mean import OutOfDistribution
from layerscope.training.watch import never


class Interrupted(Exception):
    """Somebody asked to stop in the middle of a checkpoint."""


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
        self._chosen = ChosenImages(setup, self._parts)
        self._kept: dict[tuple[str, int], Tensor] = {}
        self._references: dict[tuple[str, int], Tensor] = {}
        self._images = ImageTaps()

    def forget_images(self) -> None:
        """Collect with the next checkpoint again what the images themselves give."""
        self._images = ImageTaps()

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
        entries = [self._entry(model, layer) for layer in setup.layers]
        statistics = CheckpointStatistics(
            setup.weighting,
            entries,
            loss_unit=setup.loss_unit,
            estimation=setup.estimation,
            pairs=setup.pairs,
            probe=setup.probe,
            cdnv_exponent=setup.cdnv_exponent,
        )
        with torch.no_grad(), evaluating(model), full_precision():
            own = {}
            for name in setup.splits if needs & FIRST_SWEEP else ():
                self._pause()
                own[name] = self._first_sweep(model, name, statistics, needs)
            if needs & Need.OOD and setup.ood is not None:
                self._pause()
                self._ood_sweep(model, statistics, own_part(setup.ood))
            self._finish(model, statistics, own, needs)
        return statistics

    def _pause(self) -> None:
        if anybody(self.should_stop()):
            raise Interrupted

    def _pause_alone(self) -> None:
        """Ask in the middle of a sweep; with others that would make all wait for the slowest."""
        if world_size() == 1:
            self._pause()

    def _entry(self, model: nn.Module, layer: Layer) -> LayerStatistics:
        module = model.get_submodule(layer.module_name)
        return LayerStatistics(layer, module, self.setup.where, self.setup.reduce_name)

    def _first_sweep(
        self, model: nn.Module, name: str, statistics: CheckpointStatistics, needs: Need
    ) -> Tensor:
        """Moments of every layer, the chosen sample, and the network's decisions on one split.

        Returns the decisions on the samples that this process reads, in their order.
        """
        part, classes = self._chosen.part(name, needs), self._parts[name].num_classes
        decisions = Decisions(classes, device=self.setup.device)
        fresh = [entry for entry in statistics.layers if not self._begin(entry, name, classes, needs)]
        new = {entry.layer.index for entry in fresh}
        chosen = {kind: SampleRows(part, places) for kind, places in self._chosen.of(name, needs).items()}

        newest = NewestGroups(classes)

        def receive(entry: LayerStatistics, features: Tensor, batch: Batch) -> None:
            index, moments = entry.layer.index, entry.splits[name].moments
            if moments is not None and index in new:
                self._images.watch(name, entry, features, batch)
                moments.update(features, batch.labels, groups=newest.of(batch.labels, batch.start))
            for rows in chosen.values():
                rows.take(index, features, batch.start)

        decided = [part.labels[:0]]  # a process may have nothing to read
        for batch, logits in self._forward(model, part, statistics.layers, receive):
            loss = self.setup.loss(logits, batch.labels, classes)
            groups = newest.of(batch.labels, batch.start)
            decided.append(_decided(decisions, logits, groups, loss, name))
            if SAMPLE in chosen:
                chosen[SAMPLE].take(IMAGES, batch.images.flatten(start_dim=1), batch.start)
        assert decisions.samples == len(part)
        own = torch.cat(decided)
        if needs & EVERY_IMAGE:
            statistics.decisions[name] = merged(decisions)
            statistics.labels[name] = part.whole.labels
            statistics.decided[name] = torch.cat(gathered(own))
        self._finish_first(name, fresh)
        self._finish_samples(chosen, name, statistics)
        return own

    def _begin(self, entry: LayerStatistics, name: str, classes: int, needs: Need) -> bool:
        """Set out the statistics of a layer and split; whether the first sweep's are known before."""
        known = self._images.known(name, entry) if needs & Need.MOMENTS else None
        entry.splits[name] = SplitStatistics() if known is None else known
        if needs & Need.MOMENTS and known is None:
            keep, device, dtype = self._kept_offsets(name, entry.layer), self.setup.device, self.setup.dtype
            moments = ClassMoments(classes, entry.layer.dim, keep=keep, device=device, dtype=dtype)
            entry.splits[name].moments = moments
        return known is not None

    def _finish_first(self, name: str, entries: Sequence[LayerStatistics]) -> None:
        """Put together what the processes saw."""
        for entry in entries:
            own = entry.splits[name].moments
            if own is not None:
                own.release()  # the next checkpoint writes there, and others need sums alone
                self._references[name, entry.layer.index] = own.reference
                entry.splits[name].moments = merged(own)
        self._images.keep(name, entries)

    def _finish_samples(
        self, chosen: dict[str, SampleRows], name: str, statistics: CheckpointStatistics
    ) -> None:
        for kind, rows in chosen.items():
            for entry in statistics.layers:
                setattr(entry.splits[name], kind, rows.collected(entry.layer.index, entry.layer.dim))
        if SAMPLE in chosen:
            statistics.images[name] = chosen[SAMPLE].collected(IMAGES, math.prod(self._parts[name].shape))

    def _ood_sweep(self, model: nn.Module, statistics: CheckpointStatistics, part: SplitPart) -> None:
        """Mean feature of the out-of-distribution set in every layer."""
        means = [OutOfDistribution(entry.layer.dim, device=self.setup.device) for entry in statistics.layers]

        def receive(entry: LayerStatistics, features: Tensor, batch: Batch) -> None:
            means[entry.layer.index].update(features)

        for _ in self._forward(model, part, statistics.layers, receive):
            pass
        for entry, mean in zip(statistics.layers, means, strict=True):
            entry.ood = merged(mean)

    def _forward(
        self, model: nn.Module, part: SplitPart, entries: Sequence[LayerStatistics], receive: Receive
    ) -> Iterator[tuple[Batch, Tensor]]:
        return forwarded(model, part, self.setup, entries, receive, self._pause_alone)

    def _finish(
        self, model: nn.Module, statistics: CheckpointStatistics, own: Mapping[str, Tensor], needs: Need
    ) -> None:
        """The weights' decompositions, and what needs the means: along them, nearest ones, spectra."""
        self._pause()
        layers = statistics.layers
        names = [name for name in self.setup.splits if needs & SECOND_SWEEP]
        if needs & (Need.SCATTER | Need.NEAREST):
            self._do([partial(self._add_basis, entry.splits[name]) for name in names for entry in layers])
        kept = [(name, entry) for name in names if name in self.plan.cached for entry in layers]
        kept.sort(key=lambda each: (-len(self._parts[each[0]]), -each[1].layer.dim))  # the longest first
        works = [partial(self._read_kept, name, entry, own[name], needs) for name, entry in kept]
        if needs & Need.SPECTRUM:
            classes = next(iter(self.setup.splits.values())).num_classes
            vectors = kept_vectors(classes, many=bool(needs & Need.VECTORS))
            works += [partial(_decompose, entry, vectors) for entry in layers]
        self._do(works)
        for name in names:
            if name not in self.plan.cached:
                self._pause()
                self._read_again(model, name, statistics, own[name], needs)

    def _do(self, works: Sequence[Work]) -> None:
        """What layers need one by one, a few of them at a time."""

        def unless_stopped(work: Work) -> None:
            self._pause_alone()
            work()

        side_by_side([partial(unless_stopped, work) for work in works], self.plan.workers)

    def _add_basis(self, split: SplitStatistics) -> None:
        """Directions of the class means: one process' own, since directions have no sign of their own."""
        moments = split.moments
        assert moments is not None
        if split.basis is None:
            split.basis = shared(lambda: basis_by(moments, self.setup.weighting))

    def _read_kept(self, name: str, entry: LayerStatistics, decided: Tensor, needs: Need) -> None:
        """Hand the offsets of one layer and split on as they were kept."""
        labels, split = self._parts[name].labels, entry.splits[name]
        kept = self._kept_offsets(name, entry.layer)
        assert kept is not None  # though it has no rows when this process has nothing to read
        along_means = needs & (Need.SCATTER | Need.NEAREST)
        if along_means and not self._images.recount(name, entry, labels, decided):
            reader = self._coordinates(entry, name)
            parts = (torch.split(part, reader.rows) for part in (kept, labels, decided))
            nearest = [reader.update(*some) for some in zip(*parts, strict=True)]
            _put(reader, split)
            self._images.keep_nearest(name, entry, nearest)
        if needs & Need.SPECTRA and split.moments is not None and split.spectra is None:
            about = self._references[name, entry.layer.index], split.moments, self.setup.weighting
            split.spectra = kept_spectra(kept, labels, *about)

    def _read_again(
        self,
        model: nn.Module,
        name: str,
        statistics: CheckpointStatistics,
        decided: Tensor,
        needs: Need,
    ) -> None:
        """Forward one split again, as often as the memory for the spectra's sketches asks for."""
        readers: list[Coordinates] = []
        if needs & (Need.SCATTER | Need.NEAREST):
            readers = [self._coordinates(entry, name) for entry in statistics.layers]
        everywhere = tuple(range(len(statistics.layers)))
        for number, group in enumerate(self.plan.groups if needs & Need.SPECTRA else ((),)):
            missing = [index for index in group if statistics.layers[index].splits[name].spectra is None]
            sketches = {index: self._sketches(statistics.layers[index], name) for index in missing}
            along = readers if number == 0 else ()
            entries = [statistics.layers[index] for index in (everywhere if along else missing)]
            if not entries:
                continue
            if number:
                self._pause()
            self._forward_again(model, name, entries, decided, along, sketches)
            for index in missing:  # each is gone before the next group's are made
                statistics.layers[index].splits[name].spectra = sketches.pop(index).spectra()
        for entry, along_means in zip(statistics.layers, readers, strict=False):
            _put(along_means, entry.splits[name])

    def _forward_again(
        self,
        model: nn.Module,
        name: str,
        entries: Sequence[LayerStatistics],
        decided: Tensor,
        readers: Sequence[Coordinates],
        sketches: Mapping[int, SketchReader],
    ) -> None:
        def receive(entry: LayerStatistics, features: Tensor, batch: Batch) -> None:
            index, (_, labels, start, _) = entry.layer.index, batch
            reference = self._references[name, index]
            offsets = features.to(reference.dtype) - embedding(labels, reference)
            if readers:
                readers[index].update(offsets, labels, decided[start : start + len(labels)])
            if index in sketches:
                sketches[index].update(offsets, labels)

        for _ in self._forward(model, self._parts[name], entries, receive):
            pass

    def _sketches(self, entry: LayerStatistics, name: str) -> SketchReader:
        index, moments = entry.layer.index, entry.splits[name].moments
        assert moments is not None
        reference, by_class = self._references[name, index], index not in self.plan.pooled
        return SketchReader(reference, moments, self.setup.weighting, by_class=by_class)

    def _coordinates(self, entry: LayerStatistics, name: str) -> Coordinates:
        """Accumulators of the second sweep for one layer and split."""
        split, train = entry.splits[name], entry.splits.get("train", entry.splits[name])
        moments = split.moments
        assert moments is not None
        assert train.moments is not None
        assert split.basis is not None
        assert train.basis is not None
        scatter = DirectionalScatter(moments.num_classes, split.basis.rank, device=self.setup.device)
        nearest = None
        if "train" in entry.splits:
            centers = (train.moments.means - train.basis.center) @ train.basis.directions
            nearest = NearestCenter(centers, train.moments.present, moments.num_classes)
        reference = self._references[name, entry.layer.index]
        return Coordinates(moments, reference, split.basis, scatter, train.basis, nearest)

    def _kept_offsets(self, name: str, layer: Layer) -> Tensor | None:
        """Where the offsets of a split's samples are kept, or None when they are not."""
        if name not in self.plan.cached:
            return None
        key = (name, layer.index)
        if key not in self._kept:
            size = (len(self._parts[name]), layer.dim)
            self._kept[key] = kept_memory(size, self.setup.dtype, self.setup.device)
        return self._kept[key]


def _put(reader: Coordinates, split: SplitStatistics) -> None:
    """Keep what all processes counted."""
    split.scatter = merged(reader.scatter)
    split.nearest = None if reader.nearest is None else merged(reader.nearest)


def _decompose(entry: LayerStatistics, vectors: int) -> None:
    """Singular values of the layer's weight, and as many of its right vectors as measures look at."""
    matrix = weight_matrix(entry.module)
    entry.spectrum = None if matrix is None else spectrum(matrix, vectors=vectors)


def _decided(decisions: Decisions, logits: Tensor, groups: LabelGroups, loss: Tensor, split: str) -> Tensor:
    """Count the network's decisions on a batch, and return them."""
    try:
        return decisions.update(logits, groups.labels, loss, groups=groups)
    except ValueError as error:
        raise MeasurementError(f"{split} split: {error}") from error
