"""What the stages of a run do once it is known that there is something to do. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import nn

from layerscope.data.catalog import describe
from layerscope.data.load import Data, load_data
from layerscope.data.split import class_counts
from layerscope.devices import device_of, gpu_facts
from layerscope.distributed.ranks import rank
from layerscope.errors import MeasurementError, UsageError
from layerscope.features.layer_features import LayerFeatures, layer_features
from layerscope.features.layers import select_modules
from layerscope.features.reduce import reduce_by_name
from layerscope.files import write_atomic
from layerscope.measurement.image_pairs import CheckpointLayer, image_pairs
from layerscope.measurement.measure import check_measurable, measure_checkpoints
from layerscope.measurement.setup import Setup
from layerscope.measurement.shown_pairs import shown_pairs
from layerscope.models.build import build_model
from layerscope.pairing import ImagePairs
from layerscope.provenance import cpu_name
from layerscope.run_folder import RunFolder
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.log import EpochLog
from layerscope.training.loop import Outcome, train
from layerscope.training.observation_log import ObservationLog
from layerscope.training.observer import Observer
from layerscope.training.progress import QuietReporter, Reporter
from layerscope.training.snapshots import Snapshots
from layerscope.training.trackers import Trackers

FEATURE_BATCH = 256


def train_run(
    run: RunFolder, *, device: str, reporter: Reporter | None, should_stop: Callable[[], bool]
) -> Outcome:
    """Train a run, from its newest resume point if it has one; whether it came to its end."""
    config, place = run.config, device_of(device)
    _note_device(run, "train", place)
    data = load_data(config.data, config.run, place)
    run.note(class_counts={split.name: class_counts(split).tolist() for split in (data.train, data.test)})
    model = _new_model(run, data)
    _record_validation(run, data)
    check_measurable(config, data, model)  # a mistake in the taps must not wait for the end of training
    log = EpochLog(run.log_path)
    observer = _observer(run, model)
    observations = ObservationLog(run.observations_path, config.logging.observe_per)
    trackers = Trackers(config.logging.trackers, run.folder, run.name, config)
    try:
        return train(
            config,
            data,
            model,
            _store(run),
            log,
            device=place,
            reporter=reporter or QuietReporter(),
            trackers=trackers,
            observer=observer,
            observations=observations,
            snapshots=_snapshots(run, data, model),
            should_stop=should_stop,
        )
    finally:
        trackers.close()
        observer.close()


def measure_run(
    run: RunFolder,
    pending: Mapping[int, Sequence[str]],
    *,
    device: str,
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> None:
    """Compute what is pending of a run's tables."""
    place = device_of(device)
    _note_device(run, "measure", place)
    data = load_run_data(run, device=device)
    model = _new_model(run, data)
    measure_checkpoints(
        run.config,
        data,
        model,
        _store(run),
        run.tables,
        pending,
        device=place,
        pairs=lambda setup: _pairs(run, data, model, setup),
        progress=progress,
    )


def _note_device(run: RunFolder, stage: str, device: torch.device) -> None:
    """Record on which processor and which GPU a stage works, with which driver: results may depend on it."""
    gpu = gpu_facts(device)
    entries: dict[str, Any] = {f"{stage}_cpu": cpu_name(), **({f"{stage}_gpu": gpu} if gpu else {})}
    run.note(**entries)


def _pairs(run: RunFolder, data: Data, model: nn.Module, setup: Setup) -> ImagePairs:
    """The run's pairs of test and train images: those of all runs beside it where they are the same."""
    config, store = run.config, _store(run)
    last = config.optimizer.epochs

    def layer(name: str) -> CheckpointLayer:
        if last not in store.manifest.entries():
            raise MeasurementError(
                "Measurements.pairs: the features of the last checkpoint decide about the pairs, but "
                f"{run.folder} has none of epoch {last} yet: train to the end first."
            )
        return CheckpointLayer(model, store, last, name, setup, config.run.seed_for("projection"))

    found = image_pairs(config.measurements.pairs, data, layer, setup.layers, run.shared_folder / "pairs")
    shown_pairs(data, found).save(run.pairs_path)
    return found


def load_run_data(run: RunFolder, *, device: str) -> Data:
    """The splits of a run, labels as trained on."""
    return load_data(run.config.data, run.config.run, device_of(device))


def load_model(run: RunFolder, epoch: int | Literal["best"] | None, *, device: str) -> nn.Module:
    """The network of a run at one of its checkpoints."""
    saved = run.checkpoints.epochs()
    if not saved:
        raise MeasurementError(f"{run.folder} has no checkpoints yet")
    if epoch == "best":
        epoch = run.checkpoints.best()
        if epoch is None:
            raise MeasurementError(f"{run.folder} keeps no best checkpoint; set Logging.keep-best: True")
    info = describe(run.config.data)  # shape and classes, without reading any image
    model = build_model(run.config.model, info.shape, info.classes)
    _store(run).load_into(model, saved[-1] if epoch is None else epoch)
    return model.eval().to(device_of(device))


def _observer(run: RunFolder, model: nn.Module) -> Observer:
    """What looks at the steps of training, at the layers that are measured."""
    model_config, wanted = run.config.model, run.config.logging.observe
    layers = select_modules(model, model_config.embedding_layers) if "activations" in wanted else {}
    return Observer(wanted, layers, model_config.tap)


def _record_validation(run: RunFolder, data: Data) -> None:
    """Write which samples are held out: their place in the data set's own training split, and label."""
    if data.validation is None or data.validation_places is None or rank():
        return
    pairs = zip(data.validation_places.tolist(), data.validation.labels.tolist(), strict=True)
    text = "".join(f"{place},{label}\n" for place, label in pairs)
    write_atomic(run.validation_path, f"index,label\n{text}")


def load_features(run: RunFolder, layer: str, split: str, epoch: int | None, *, device: str) -> LayerFeatures:
    """Features of any layer of a run's network on one of its splits, taken and reduced as the run does."""
    data, config = load_run_data(run, device=device), run.config
    splits = {name: part for name, part in vars(data).items() if hasattr(part, "batches")}
    if split not in splits:
        raise UsageError(f"the run has no split {split!r}; it has {', '.join(splits)}")
    dtype = torch.float64 if config.measurements.precision == "float64" else torch.float32
    model = load_model(run, epoch, device=device).to(dtype)
    reduce = reduce_by_name(config.model.reduce, config.run.seed_for("projection"))
    batches = splits[split].batches(config.measurements.batch_size or FEATURE_BATCH)
    exact = ((images.to(dtype), labels) for images, labels in batches)
    return layer_features(model, exact, layer, where=config.model.tap, reduce=reduce)


def _new_model(run: RunFolder, data: Data) -> nn.Module:
    seed = run.config.run.seed_for("init")
    return build_model(run.config.model, data.train.shape, data.train.num_classes, seed=seed)


def _snapshots(run: RunFolder, data: Data, model: nn.Module) -> Snapshots:
    wanted, size = run.config.logging, run.config.data.batch_size
    splits = (data.train, data.test)
    return Snapshots(run.folder, splits, model, size, wanted.save_logits, wanted.save_geometry)


def _store(run: RunFolder) -> CheckpointStore:
    return CheckpointStore(run.checkpoints.folder)
