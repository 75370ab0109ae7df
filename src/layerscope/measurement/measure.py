"""The measurement pass over the checkpoints of a run: incremental, and saved checkpoint by checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from layerscope.config import Config
from layerscope.data.load import Data
from layerscope.data.ood import load_ood
from layerscope.data.split import Split, class_counts
from layerscope.distributed.exchange import shared
from layerscope.distributed.ranks import rank, world_size
from layerscope.features.reduce import reduce_by_name
from layerscope.features.taps import trace_layers
from layerscope.measurement.image_pairs import check_pairs
from layerscope.measurement.key import measurement_key, selected_measures
from layerscope.measurement.plan import Plan, default_batch_size, make_plan
from layerscope.measurement.setup import Setup
from layerscope.measurement.sweeps import Collector, Interrupted
from layerscope.measures.base import CheckpointStatistics, Measure, Need, Subject
from layerscope.measures.catalog import OF_OTHER_IMAGES, VERSIONS
from layerscope.measures.estimation import Estimation
from layerscope.measures.registry import MEASURES
from layerscope.measures.weight_matrix import weight_shapes
from layerscope.pairing import ImagePairs
from layerscope.results.tables import TableStore
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.criterion import build_loss
from layerscope.training.loop import Outcome
from layerscope.training.watch import never

Rows = list[dict[str, object]]


def measure_checkpoints(
    config: Config,
    data: Data,
    model: nn.Module,
    store: CheckpointStore,
    tables: TableStore,
    pending: Mapping[int, Sequence[str]],
    *,
    device: torch.device,
    pairs: Callable[[Setup], ImagePairs] | None = None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
    should_stop: Callable[[], bool] = never,
) -> Outcome:
    """Compute what is pending and save it, checkpoint by checkpoint.

    In :func:`layerscope.distributed.group.process_group`, every process of the run calls this with the same
    arguments and reads its part of the data; rank 0 writes the tables.

    Parameters
    ----------
    model : nn.Module
        The architecture; its weights are replaced by each checkpoint's.
    pending : mapping
        Epoch → measures.
    pairs : callable, optional
        Gives the pairs of test and train images, when a measure asks for them; without it there are none.
    progress : callable
        Wraps the epochs, for a progress bar.
    should_stop : callable
        Once True (in any process), the checkpoint that is being measured is given up and "stopped" returned.

    Raises
    ------
    DamagedFile
        A checkpoint is not what was saved. Checkpoints before it are measured and saved.
    MeasurementError
        Features are not finite, or the memory budget is too small.
    """
    model.to(device)
    setup = make_setup(config, data, model, device)
    needs = needs_of(set().union(*pending.values()))
    if pairs is not None and needs & Need.PAIRS:
        found = shared(lambda: pairs(setup))
        setup = replace(setup, pairs=found)
    plan = plan_for(config, setup, needs)
    collector = Collector(setup, plan, should_stop)
    for epoch in progress(sorted(pending)):
        store.load_into(model, epoch)
        model.to(setup.dtype)
        try:
            statistics = collector.collect(model, needs_of(pending[epoch]))
        except Interrupted:
            return "stopped"
        if rank() == 0:
            _save(config, store, tables, epoch, pending[epoch], statistics)
    return "finished"


def _save(
    config: Config,
    store: CheckpointStore,
    tables: TableStore,
    epoch: int,
    names: Iterable[str],
    statistics: CheckpointStatistics,
) -> None:
    """Put the rows of one checkpoint into the tables."""
    _drop_stale(config, store, tables)  # only now that there is something in their place
    digest = store.manifest.entry(epoch).sha256
    for name in names:
        rows = table_rows(epoch, MEASURES[name], statistics)
        tables.replace(name, epoch, rows, measurement_key(config, name, digest))


def _drop_stale(config: Config, store: CheckpointStore, tables: TableStore) -> None:
    """Remove rows of other settings, so that neither a table nor a figure mixes two."""
    digests = {epoch: entry.sha256 for epoch, entry in store.manifest.entries().items()}
    for name in set(tables.measures()) & set(VERSIONS):
        keep = {epoch: measurement_key(config, name, digest) for epoch, digest in digests.items()}
        tables.drop_stale(name, keep)


def check_measurable(config: Config, data: Data, model: nn.Module) -> None:
    """Find out before training what would stop the measurement after it.

    Raises
    ------
    ModelError
        The layer specification matches nothing that is executed; the encoder of the pairs cannot be had.
    MeasurementError
        The memory budget is too small for the tapped layers, or for the vectors of the pairs.
    """
    wanted = selected_measures(config)
    if not wanted:
        return
    setup, needs = make_setup(config, data, model, torch.device("cpu")), needs_of(wanted)
    plan_for(config, setup, needs)
    if needs & Need.PAIRS:
        check_pairs(
            config.measurements.pairs,
            model,
            _sample(data, model),
            setup.layers,
            where=setup.where,
            reduce=setup.reduce,
            samples=len(data.train) + len(data.test),
            memory_bytes=config.measurements.memory_bytes,
        )


def table_rows(epoch: int, measure: Measure, statistics: CheckpointStatistics) -> Rows:
    """Rows of one measure for one checkpoint, columns in the order of the table."""
    rows: Rows = []
    last: Subject | None = None
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    for subject, value in measure.values(statistics):
        if subject is not last:  # most rows have the subject of the one before
            last, (before, after) = subject, _columns_of(epoch, subject, statistics.weighting)
        rows.append(
            {
                **before,
                **value.qualifiers,
                "value": value.value,
                "error": value.error,
                "ceiling": value.ceiling,
                "status": value.status,
                "reason": value.reason,
                "unit": value.unit,
                **after,
            }
        )
    return rows


def make_setup(config: Config, data: Data, model: nn.Module, device: torch.device) -> Setup:
    """What stays the same over the checkpoints: splits, layers in execution order, settings.

    Raises
    ------
    ModelError
        The layer specification matches nothing that is executed.
    DataError
        The out-of-distribution set, when a measure asks for it, cannot be read or does not fit the model.
    """
    dtype = torch.float64 if config.measurements.precision == "float64" else torch.float32
    reduce = reduce_by_name(config.model.reduce, config.run.seed_for("projection"))
    spec, where = config.model.embedding_layers, config.model.tap
    layers = trace_layers(model, _sample(data, model), spec, where=where, reduce=reduce)
    splits: dict[str, Split] = {name: getattr(data, name) for name in config.measurements.splits}
    loss = build_loss(config.optimizer, class_counts(data.train))
    other = bool(OF_OTHER_IMAGES & set(selected_measures(config)))
    ood = load_ood(config.data, data.info, config.run, device) if other else None
    batch = config.measurements.batch_size or default_batch_size(data.train.shape)
    return Setup(
        splits,
        layers,
        spec,
        where,
        config.model.reduce,
        reduce,
        loss,
        config.measurements.weighting,
        batch,
        dtype,
        device,
        "logit^2" if config.optimizer.loss == "mseloss" else "nat",
        config.measurements.sample,
        config.run.seed_for("sample"),
        ood,
        _estimation(config),
        weights=weight_shapes(model, layers),
        probe=config.optimizer.objective != "supervised",
        cdnv_exponent=config.measurements.cdnv_exponent,
    )


def _estimation(config: Config) -> Estimation:
    measurements = config.measurements
    seed = config.run.seed_for("estimates") % 2**31  # scikit-learn takes no more
    return Estimation(
        measurements.information,
        measurements.repeats,
        measurements.n_grid,
        seed,
        measurements.pairs.permutations,
        "float64" if min(measurements.information.times) < 1 else measurements.precision,
    )


def plan_for(config: Config, setup: Setup, needs: Need) -> Plan:
    """The memory plan of a setup.

    Each process keeps the features of its own stretch of a split. Where spectra are wanted, what is kept
    decides how they are found, so that the plan is made for whole splits: it does not depend on the number
    of processes, and each of them has all features of one layer for a while.
    """
    processes = 1 if needs & Need.SPECTRA else world_size()
    samples = {name: -(-len(split) // processes) for name, split in setup.splits.items()}
    classes = next(iter(setup.splits.values())).num_classes
    budget, item = config.measurements.memory_bytes, setup.dtype.itemsize
    return make_plan(
        setup.layers,
        samples,
        classes,
        needs,
        memory_bytes=budget,
        item_bytes=item,
        sample=setup.sample,
        batch_size=setup.batch_size,
        largest_class=max(int(class_counts(split).max()) for split in setup.splits.values()),
        weights=setup.weights,
        workers=torch.get_num_threads() if setup.device.type == "cpu" and world_size() == 1 else 1,
    )


def needs_of(names: Iterable[str]) -> Need:
    """The union of what the named measures need."""
    needs = Need.NOTHING
    for name in names:
        needs |= MEASURES[name].needs
    return needs


def _sample(data: Data, model: nn.Module) -> Tensor:
    parameter = next(model.parameters())
    return torch.zeros(2, *data.train.shape, dtype=parameter.dtype, device=parameter.device)


def _columns_of(epoch: int, subject: Subject, weighting: str) -> tuple[dict[str, object], dict[str, object]]:
    """What the rows of a subject have in common: the columns before a value's own, and those after."""
    before: dict[str, object] = {
        "epoch": epoch,
        "split": subject.split,
        "layer_name": subject.layer_name,
        "layer_index": subject.layer_index,
    }
    after: dict[str, object] = {
        "weighting": weighting,
        "where": subject.where,
        "reduce": subject.reduce,
        "samples": subject.samples,
        "classes": subject.classes,
        "singletons": subject.singletons,
        "dim": subject.dim,
    }
    return before, after
