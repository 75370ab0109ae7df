"""The distinct models of many runs: which ones there are, what is asked about them, what came out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from layerscope.config import Config, DataConfig, ModelConfig, SlurmConfig
from layerscope.data.catalog import DatasetInfo, largest_class
from layerscope.measurement.key import selected_measures
from layerscope.measures.catalog import OF_PAIRS
from layerscope.preview.contents import Measuring, ModelPreview
from layerscope.preview.data_sets import DataView, view
from layerscope.preview.question import (
    Answer,
    LrGroups,
    MeasuringAnswer,
    MeasuringQuestion,
    Question,
    Shape,
)
from layerscope.run_folder import RunFolder

_OFFSETS = 2 * 4
"""Bytes per feature of the widest layer while a batch is summed: offsets, and what they are taken from."""


@dataclass
class Way:
    """One way to measure a model: settings, data, and the runs that do so."""

    config: Config
    data: DataView
    info: DatasetInfo
    runs: list[str] = field(default_factory=list)
    asking: dict[int, SlurmConfig] = field(default_factory=dict)

    @property
    def asked(self) -> Sequence[SlurmConfig]:
        """What the runs ask of a cluster; sections that cells share once."""
        return list(self.asking.values())

    @property
    def samples(self) -> dict[str, int]:
        """The images of each split that is measured."""
        info = self.info
        held = info.validation_samples
        sizes = {"train": info.train_samples, "validation": held, "test": info.test_samples}
        return {split: sizes[split] for split in self.config.measurements.splits}

    def question(self) -> MeasuringQuestion:
        """What torch is asked."""
        settings, wanted = self.config.measurements, selected_measures(self.config)
        return MeasuringQuestion(
            wanted,
            tuple(self.samples.items()),
            settings.memory_bytes,
            settings.precision,
            settings.sample,
            settings.pairs.plain() if OF_PAIRS.intersection(wanted) else None,
            self.info.train_samples + self.info.test_samples,
            settings.batch_size or 0,
            largest_class(self.config.data, self.info),
        )


@dataclass
class ModelUse:
    """One distinct model, the ways in which its runs measure it, and the rates they train its modules at."""

    config: ModelConfig
    shape: Shape
    classes: int
    ways: list[Way] = field(default_factory=list)
    rates: dict[LrGroups, list[str]] = field(default_factory=dict)

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that train it."""
        return tuple(name for way in self.ways for name in way.runs)

    def question(self) -> Question:
        """What torch is asked."""
        ways = tuple(way.question() for way in self.ways)
        return Question(self.config.plain(), self.shape, self.classes, ways, tuple(self.rates))


class ModelUses:
    """Sorts runs by their model. Cells of a matrix share sections, so few of them are looked at."""

    def __init__(self) -> None:
        self.uses: list[ModelUse] = []
        self._views: dict[int, tuple[DataConfig, DataView]] = {}
        self._places: dict[object, int] = {}
        self._ways: dict[object, Way] = {}
        self._seen: dict[tuple[int, ...], tuple[int, Way | None]] = {}
        self._kept: list[Config] = []  # an id means nothing once its object is gone

    def add(self, run: RunFolder) -> int:
        """The place of the run's model in ``uses``; -1 when its data cannot be known here."""
        config = run.config
        key = (id(config.model), id(config.data), id(config.measurements))
        if key not in self._seen:
            self._kept.append(config)
            self._seen[key] = self._find(config)
        place, way = self._seen[key]
        if way is not None:
            way.runs.append(run.name)
            way.asking[id(config.slurm)] = config.slurm
        if place >= 0 and config.optimizer.lr_groups:
            self.uses[place].rates.setdefault(config.optimizer.lr_groups, []).append(run.name)
        return place

    def view(self, config: DataConfig) -> DataView:
        """What is known of a data set; looked up once per section."""
        if id(config) not in self._views:
            self._views[id(config)] = config, view(config)
        return self._views[id(config)][1]

    def _find(self, config: Config) -> tuple[int, Way | None]:
        data = self.view(config.data)
        if data.info is None:
            return -1, None
        key = (config.model, data.info.shape, data.info.classes)
        if key not in self._places:
            self._places[key] = len(self.uses)
            self.uses.append(ModelUse(*key))
        place = self._places[key]
        info = data.info
        sizes = (info.train_samples, info.validation_samples, info.test_samples)
        measured = (place, data.name, sizes, config.measurements)
        if measured not in self._ways:
            self._ways[measured] = Way(config, data, data.info)
            self.uses[place].ways.append(self._ways[measured])
        return place, self._ways[measured]


def model_preview(use: ModelUse, answer: Answer | None) -> ModelPreview:
    """A model with what torch says of it; without torch, what the config says."""
    section: Mapping[str, object] = use.config.plain()
    known = answer or Answer()
    answers = known.measuring or (MeasuringAnswer(),) * len(use.ways)
    return ModelPreview(
        use.config.model_name,
        section,
        use.shape,
        use.classes,
        use.runs,
        tuple(dict.fromkeys(way.data.name for way in use.ways)),
        layers=known.layers,
        parameters=known.parameters,
        trainable=known.trainable,
        weight_bytes=known.weight_bytes,
        checkpoint_bytes=known.checkpoint_bytes,
        measuring=tuple(_measuring(way, known, found) for way, found in zip(use.ways, answers, strict=True)),
        problem=known.problem,
    )


def _measuring(way: Way, model: Answer, found: MeasuringAnswer) -> Measuring:
    settings = way.config.measurements
    batch = min(settings.batch_size or model.batch_size, max(way.samples.values()))
    wider = 2 if settings.precision == "float64" else 1
    return Measuring(
        way.data.name,
        selected_measures(way.config),
        way.samples,
        settings.memory_bytes,
        batch,
        state_bytes=found.state_bytes,
        cache_bytes=found.cache_bytes,
        cached=found.cached,
        read_twice=found.read_twice,
        working_bytes=found.working_bytes,
        sweeps=found.sweeps,
        pooled=found.pooled,
        uneven=found.uneven,
        weight_bytes=wider * model.weight_bytes,
        forward_bytes=wider * batch * _bytes_on_the_way(model, way.info.shape),
        image_bytes=way.data.image_bytes,
        runs=tuple(way.runs),
        problem=found.problem,
    )


def _bytes_on_the_way(model: Answer, shape: Shape) -> int:
    """What an image takes while it is measured: itself, the activations, and offsets of the widest layer."""
    if not model.layers:
        return 0
    return 4 * math.prod(shape) + model.activation_bytes + _OFFSETS * max(each.dim for each in model.layers)
