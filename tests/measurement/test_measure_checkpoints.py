"""From the checkpoints of a run to its tables."""

import pandas as pd
import pytest
import torch

from layerscope.config import parse_config
from layerscope.data.catalog import DATASETS
from layerscope.data.load import Data
from layerscope.data.split_part import SplitPart
from layerscope.errors import DamagedFile, MeasurementError
from layerscope.functional import cdnv, cdnv_pairs
from layerscope.measurement.key import measurement_key
from layerscope.measurement.measure import make_setup, measure_checkpoints, plan_for
from layerscope.measures.base import Need
from layerscope.measures.catalog import OF_PAIRS, SAMPLED
from layerscope.measures.registry import MEASURES
from layerscope.results.tables import TableStore
from layerscope.training.checkpoints import CheckpointStore

from .naive_measures import naive_rows
from .tiny_network import CPU, IMBALANCED, TAPPED, Bench, assert_same_rows, key_of

SECTIONS = {
    "Model": {"model-name": "mlp_small", "embedding-layers": TAPPED},
    "Data": {"dataset-id": "digits", "batch-size": 64},
    "Optimizer": {"lr": 0.05, "epochs": 3, "loss": "CELoss"},
    "Logging": {"save-dir": "unused", "log-epochs": [0, 1, 3]},
    "Measurements": {"precision": "float64", "batch-size": 16},
}
EPOCHS = (0, 1, 3)


def config_of(**changes):
    names = {*SECTIONS, *changes}
    return parse_config({name: SECTIONS.get(name, {}) | changes.get(name, {}) for name in names})


class Folder:
    """A run folder with three checkpoints of the tiny network, and what measures it."""

    def __init__(self, path):
        self.store, self.tables = CheckpointStore(path / "checkpoints"), TableStore(path / "measurements")
        self.bench = Bench(IMBALANCED)
        self.bench.ood = None
        self.data = Data(DATASETS["digits"], **self.bench.splits)
        for epoch in EPOCHS:
            self.store.save(epoch, self.network_at(epoch))

    @staticmethod
    def network_at(epoch):
        """Float32 weights, as they are trained."""
        model = Bench(IMBALANCED).model.float()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * epoch * parameter.sin())
        return model

    def measure(self, pending, config=None, **options):
        arguments = {"device": CPU} | options
        model = Bench(IMBALANCED).model.float()
        measure_checkpoints(
            config or config_of(), self.data, model, self.store, self.tables, pending, **arguments
        )
        return model

    def rows(self, epoch):
        """What the tables hold about one epoch, by measure, split, layer and qualifiers."""
        found = {}
        for measure in map(MEASURES.__getitem__, self.tables.measures()):
            table = self.tables.read(measure.name)
            for row in table[table["epoch"] == epoch].to_dict("records"):
                found[key_of(measure, row)] = {**row, **_as_written(row)}
        return found


def _as_written(row):
    """Cells that were empty when they were written."""
    empty = {name: "" for name in ("where", "reduce", "reason") if pd.isna(row[name])}
    return empty | {name: None for name in ("error", "ceiling") if pd.isna(row[name])}


def moments_of(features, labels):
    """Variances (K,) and means (K, D) of classes, from the features themselves."""
    groups = [torch.tensor(features[(labels == label).numpy()]) for label in labels.unique()]
    means = torch.stack([group.mean(dim=0) for group in groups])
    spread = [(group - mean).square().sum(dim=1).mean() for group, mean in zip(groups, means, strict=True)]
    return torch.stack(spread), means


def the_row(table, **wanted):
    (row,) = (row for row in table.to_dict("records") if wanted.items() <= row.items())
    return row


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def test_the_tables_hold_every_row_of_every_checkpoint(folder):
    folder.measure(dict.fromkeys(EPOCHS, tuple(name for name in MEASURES if name not in SAMPLED | OF_PAIRS)))
    for epoch in EPOCHS:
        folder.bench.model = folder.network_at(epoch).double()
        expected = {key: row | {"epoch": epoch} for key, row in folder.bench.rows().items()}
        assert_same_rows(folder.rows(epoch), expected, rtol=1e-12)
    layers, logits = folder.bench.naive_layers()
    labels = {name: split.labels.numpy() for name, split in folder.bench.splits.items()}
    naive = naive_rows(layers, labels, logits, loss="celoss", weighting="balanced")
    found = folder.rows(EPOCHS[-1])
    assert {key: row["value"] for key, row in found.items()} == pytest.approx(
        naive, rel=1e-9, abs=1e-12, nan_ok=True
    )


def test_only_what_is_pending_is_measured_and_every_epoch_has_its_key(folder):
    config = config_of()
    folder.measure({1: ("CDNV",), 3: ("Accuracy", "NCC")}, config)
    assert folder.tables.measures() == ["Accuracy", "CDNV", "NCC"]
    for measure, epoch in (("CDNV", 1), ("Accuracy", 3), ("NCC", 3)):
        key = measurement_key(config, measure, folder.store.manifest.entry(epoch).sha256)
        assert folder.tables.computed(measure) == {epoch: key}


def test_measuring_piece_by_piece_gives_the_files_of_measuring_at_once(folder, tmp_path):
    folder.measure({0: tuple(MEASURES), 1: tuple(MEASURES)})
    other = TableStore(tmp_path / "pieces")
    at_once, folder.tables = folder.tables, other
    folder.measure({1: ("NC1", "Accuracy")})
    folder.measure({0: ("WeightSVs", "NC1"), 1: ("WeightSVs",)})
    for measure in ("NC1", "WeightSVs"):
        assert other.path(measure).read_bytes() == at_once.path(measure).read_bytes()


def test_measuring_again_leaves_the_same_bytes(folder):
    folder.measure({1: ("NC1", "NCC")})
    before = folder.tables.path("NC1").read_bytes()
    folder.measure({1: ("NC1", "NCC")})
    assert folder.tables.path("NC1").read_bytes() == before


def test_checkpoints_before_a_damaged_one_are_measured_and_saved(folder):
    path = folder.store.folder / folder.store.manifest.entry(1).file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedFile, match=path.name):
        folder.measure(dict.fromkeys(EPOCHS, ("CDNV",)))
    assert list(folder.tables.computed("CDNV")) == [0]


def test_epochs_are_measured_in_order_and_progress_sees_each(folder):
    seen = []

    def progress(epochs):
        for epoch in epochs:
            seen.append(epoch)
            yield epoch

    folder.measure({3: ("Accuracy",), 0: ("Accuracy",)}, progress=progress)
    assert seen == [0, 3]


def test_measuring_is_in_eval_mode_and_ends_in_the_mode_it_began(folder):
    assert folder.measure({0: ("Accuracy",)}).training


def test_images_are_measured_as_they_are_and_in_their_order_whatever_training_does(folder, monkeypatch):
    asked, batches = [], SplitPart.batches

    def watched(part, size, **options):
        asked.append({name: value for name, value in options.items() if name in ("order", "augment")})
        return batches(part, size, **options)

    monkeypatch.setattr(SplitPart, "batches", watched)
    shifting = config_of(Data={"dataset-id": "digits", "batch-size": 64, "do-augmentation": True})
    folder.measure({0: ("Accuracy", "NC1", "NCC")}, shifting)
    assert asked
    assert all(value is None for options in asked for value in options.values())


@pytest.mark.parametrize("splits", [["train"], ["test"], ["test", "train"]])
def test_any_choice_of_splits_can_be_measured(folder, splits):
    measures = ("Accuracy", "NC1", "NCC", "AngleBetweenSubspaces")
    folder.measure({0: measures}, config_of(Measurements={"splits": splits}))
    assert [folder.tables.splits(measure) for measure in measures] == [set(splits)] * 4


@pytest.mark.parametrize(("exponent", "unit"), [(1, "1"), (2, "feature^-2"), (0.75, "feature^0.5")])
def test_the_tables_of_cdnv_hold_what_the_function_gives_with_the_exponent(folder, exponent, unit):
    config = config_of(Measurements={"cdnv-exponent": exponent})
    folder.measure({3: ("CDNV", "CDNVPairs", "NCLayer")}, config)
    assert folder.tables.computed("CDNV")[3] == measurement_key(
        config, "CDNV", folder.store.manifest.entry(3).sha256
    )
    mean, pairs = (folder.tables.read(name) for name in ("CDNV", "CDNVPairs"))
    folder.bench.model = folder.network_at(3).double()
    for layer in folder.bench.naive_layers()[0]:
        for split in ("train", "test"):
            moments = moments_of(layer.features[split], folder.bench.splits[split].labels)
            place = {"layer_name": layer.name, "split": split}
            expected = cdnv(*moments, exponent=exponent)
            for statistic, value in expected.items():
                row = the_row(mean, statistic=statistic, **place)
                assert row["value"] == pytest.approx(value, rel=1e-10)
                assert row["unit"] == ("count" if statistic in ("infinite", "coincident") else unit)
            row = the_row(pairs, **{"class": 1, "other": 3}, **place)
            assert row["value"] == pytest.approx(
                float(cdnv_pairs(*moments, exponent=exponent)[1, 3]), rel=1e-10
            )
            assert row["unit"] == unit


def test_the_nc_layer_is_that_of_exponent_1_whatever_the_exponent_is(folder):
    found = []
    for exponent in (1, 3):
        folder.measure({3: ("NCLayer",)}, config_of(Measurements={"cdnv-exponent": exponent}))
        found.append(folder.tables.path("NCLayer").read_bytes())
    assert found[0] == found[1]


def test_a_budget_that_is_too_small_is_refused_before_anything_is_read(folder):
    with pytest.raises(MeasurementError, match=r"Measurements.memory \(9.77 KiB\)"):
        folder.measure({0: ("Traces",)}, config_of(Measurements={"memory": 10_000}))
    assert folder.tables.measures() == []


def test_the_config_reaches_the_setup(folder):
    model = folder.network_at(0)
    config = config_of(
        Model={"embedding-layers": ["^fc1", "^fc2"], "tap": "output", "reduce": "project:5"},
        Measurements={"weighting": "sample", "precision": "float32", "batch-size": None, "splits": ["test"]},
        Optimizer={"loss": "MSELoss"},
    )
    setup = make_setup(config, folder.data, model, CPU)
    assert [layer.name for layer in setup.layers] == ["fc1", "fc2"]
    assert (setup.where, setup.reduce_name, setup.weighting) == ("output", "project:5", "sample")
    assert (setup.dtype, setup.batch_size, list(setup.splits)) == (torch.float32, 1024, ["test"])
    assert setup.reduce.seed == config.run.seed_for("projection")
    assert setup.loss.__name__ == "mseloss"
    assert plan_for(config, setup, Need.SCATTER).cached == {"test"}
