"""A run does what is missing, and nothing twice."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pandas
import pytest
import torch

import layerscope as ls
from layerscope.config import parse_config
from layerscope.errors import (
    Blocked,
    DamagedFile,
    MeasurementError,
    ModelError,
    RunFolderError,
    Stopped,
    TrainingDiverged,
    UsageError,
)
from layerscope.measures.catalog import VERSIONS
from layerscope.provenance import cpu_name
from layerscope.run import STAGES, Run, chosen_stages
from layerscope.source import source_digest
from layerscope.status import StageStatus
from layerscope.training.checkpoints import CheckpointStore

TREE = {
    "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 128},
    "Optimizer": {"lr": 0.05, "epochs": 2},
    "Logging": {"save-dir": "unused", "log-epochs": [0, 1, 2], "trackers": []},
    "Measurements": {"measures": ["CDNV", "Accuracy"]},
}


def config_with(**sections):
    tree = {name: {**TREE.get(name, {}), **sections.get(name, {})} for name in {*TREE, *sections}}
    return parse_config(tree, source="test")


def times(folder: Path) -> dict[str, int]:
    return {
        str(path): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = Run(config_with(), tmp_path_factory.mktemp("runs") / "done", "done")
    assert run.train()
    assert run.measure()
    assert run.plot()
    return run


@pytest.fixture
def copy(finished, tmp_path):
    """A finished run that a test may damage."""
    folder = tmp_path / "copy"
    shutil.copytree(finished.folder, folder)
    return replace(finished, folder=folder)


def test_a_finished_run_has_the_files_that_the_design_promises(finished):
    names = {str(path.relative_to(finished.folder)) for path in finished.folder.rglob("*") if path.is_file()}
    assert {
        *("config.yaml", "run.json", "log.csv", "checkpoints/manifest.json", "checkpoints/resume.pt"),
        *("checkpoints/epoch_0000.safetensors", "checkpoints/epoch_0002.safetensors"),
        *("measurements/CDNV.csv", "measurements/Accuracy.csv", "plots/CDNV.pdf", "plots/CDNV.png"),
    } <= names


def test_doing_it_again_does_nothing(finished):
    before = times(finished.folder)
    assert not finished.train()
    assert not finished.measure()
    assert not finished.plot()
    assert times(finished.folder) == before


def test_a_new_measure_is_computed_for_old_checkpoints_and_the_others_are_left_alone(copy):
    before = (copy.folder / "measurements/CDNV.csv").stat().st_mtime_ns
    more = replace(copy, config=config_with(Measurements={"measures": ["CDNV", "Accuracy", "Traces"]}))
    assert more.pending_measures() == {epoch: ("Traces",) for epoch in (0, 1, 2)}
    assert not more.train()
    assert more.measure()
    assert sorted(set(more.tables.read("Traces")["epoch"])) == [0, 1, 2]
    assert (copy.folder / "measurements/CDNV.csv").stat().st_mtime_ns == before


def test_another_weighting_measures_again(copy):
    other = replace(
        copy, config=config_with(Measurements={"measures": ["CDNV", "Accuracy"], "weighting": "sample"})
    )
    assert set(other.pending_measures()) == {0, 1, 2}
    assert other.measure()
    assert set(other.tables.read("CDNV")["weighting"]) == {"sample"}


def test_a_table_never_mixes_settings_even_when_measuring_stops_half_way(copy):
    damaged = copy.folder / "checkpoints/epoch_0001.safetensors"
    damaged.write_bytes(bytes(damaged.stat().st_size))
    other = replace(copy, config=config_with(Measurements={"measures": ["CDNV"], "weighting": "sample"}))
    with pytest.raises(DamagedFile, match=r"epoch_0001\.safetensors"):
        other.measure()
    table = other.tables.read("CDNV")
    assert (set(table["epoch"]), set(table["weighting"])) == ({0}, {"sample"})


def test_a_folder_with_another_config_is_refused_and_the_difference_shown(copy):
    other = replace(copy, config=config_with(Optimizer={"lr": 0.1}))
    with pytest.raises(RunFolderError, match=r"Optimizer\.lr: 0\.05 → 0\.1"):
        other.train()
    with pytest.raises(RunFolderError, match="holds a run of another config"):
        other.measure()


def test_a_folder_where_nothing_was_trained_yet_may_change_its_config(tmp_path):
    folder = tmp_path / "run"
    first = Run(config_with(Data={"dataset-id": "arrays", "root": str(tmp_path / "no.npz")}), folder, "run")
    with pytest.raises(Exception, match=r"no\.npz"):
        first.train()
    assert (folder / "config.yaml").exists()
    assert Run(config_with(), folder, "run").train()


def test_a_truncated_checkpoint_is_named_never_measured_and_the_tables_stay(copy):
    damaged = copy.folder / "checkpoints/epoch_0002.safetensors"
    before = (copy.folder / "measurements/CDNV.csv").read_bytes()
    damaged.write_bytes(damaged.read_bytes()[:-10] + bytes(10))
    more = replace(copy, config=config_with(Measurements={"measures": ["CDNV", "Accuracy", "Traces"]}))
    with pytest.raises(DamagedFile, match=r"epoch_0002\.safetensors"):
        more.measure()
    assert sorted(set(more.tables.read("Traces")["epoch"])) == [0, 1]  # those before it are saved
    assert (copy.folder / "measurements/CDNV.csv").read_bytes() == before


def test_a_lost_checkpoint_is_trained_again_with_the_same_bits(copy):
    path = copy.folder / "checkpoints/epoch_0001.safetensors"
    before = path.read_bytes()
    path.unlink()
    assert not copy.trained
    assert copy.train()
    assert path.read_bytes() == before


def test_a_training_that_starts_again_is_not_finished_before_its_end(copy):
    (copy.folder / "checkpoints/epoch_0000.safetensors").unlink()
    original, calls = CheckpointStore.save_resume, []

    def dies_after_the_first_epoch(store, point):
        original(store, point)
        calls.append(point.epoch)
        if point.epoch == 1:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(CheckpointStore, "save_resume", dies_after_the_first_epoch)
        copy.train()
    assert calls == [0, 1]
    assert not copy.trained
    assert copy.train()
    assert copy.log_path.read_text().splitlines()[-1].startswith("2,")


def test_a_kill_right_after_the_last_checkpoint_leaves_a_whole_log(tmp_path):
    run, original = Run(config_with(), tmp_path / "run", "run"), CheckpointStore.save

    def dies_after_the_last(store, epoch, model, score):
        original(store, epoch, model, score)
        if epoch == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(CheckpointStore, "save", dies_after_the_last)
        run.train()
    assert run.trained
    assert run.log_path.read_text().splitlines()[-1].startswith("2,")


def test_a_layer_that_is_not_there_is_said_before_training(tmp_path):
    run = Run(config_with(Model={"embedding-layers": ["fcx"]}), tmp_path / "run", "run")
    with pytest.raises(ModelError, match="'fcx' matches no module"):
        run.train()
    assert not run.checkpoints.epochs()


def test_a_measure_of_a_later_version_is_named(copy, caplog, monkeypatch):
    monkeypatch.delitem(VERSIONS, "ActivationStableRank")
    more = replace(copy, config=config_with(Measurements={"measures": ["CDNV", "ActivationStableRank"]}))
    more.measure()
    assert "this version has no measure ActivationStableRank" in caplog.text
    with pytest.raises(UsageError, match="no measure ActivationStableRank, and nothing else"):
        replace(copy, config=config_with(Measurements={"measures": ["ActivationStableRank"]})).measure()


def test_tables_of_other_layers_do_not_stay_beside_new_ones(copy):
    other = replace(copy, config=config_with(Model={"tap": "output"}, Measurements={"measures": ["CDNV"]}))
    assert other.measure()
    assert other.tables.measures() == ["CDNV"]


def test_measuring_before_training_says_what_to_do(tmp_path):
    with pytest.raises(RunFolderError, match="run the train stage first"):
        Run(config_with(), tmp_path / "empty", "empty").measure()


def test_drawing_before_there_is_anything_to_draw_says_what_to_do(tmp_path):
    with pytest.raises(RunFolderError, match="run the train and measure stages first"):
        Run(config_with(), tmp_path / "empty", "empty").plot()


def test_open_gives_model_and_data_of_a_saved_run(finished):
    run = ls.Run.open(finished.folder)
    assert run.config.hash == finished.config.hash
    data, model = run.data(), run.model()
    images, labels = next(iter(data.test.batches(500)))
    accuracy = float((model(images).argmax(1) == labels).float().mean())
    table = run.tables.read("Accuracy")
    stored = table[(table.epoch == 2) & (table.split == "test") & (table.quantity == "accuracy")][
        "value"
    ].item()
    assert accuracy == pytest.approx(stored)
    assert not torch.equal(next(run.model(0).parameters()), next(model.parameters()))


def test_features_are_those_of_any_layer_split_and_epoch(finished):
    run = ls.Run.open(finished.folder)
    images, labels = next(run.data().test.batches(10_000))
    first, last = (run.features("fc", "test", epoch) for epoch in (0, None))
    assert torch.equal(first.labels, labels)
    assert not torch.equal(first.features, last.features)
    logits = run.model(2)(images)
    torch.testing.assert_close(run.model(2).fc(last.features), logits)
    assert run.features("block0.relu").features.shape[0] == len(run.data().train)
    with pytest.raises(UsageError, match="no split 'validation'; it has train, test"):
        run.features("fc", "validation")


def test_open_of_another_folder_says_so(tmp_path):
    with pytest.raises(RunFolderError, match=r"no config\.yaml"):
        Run.open(tmp_path)


def test_run_json_says_where_it_comes_from(finished):
    record = json.loads(finished.record_path.read_text())
    assert record["hash"] == finished.config.hash
    assert record["libraries"]["torch"] == torch.__version__.split("+")[0]
    assert record["train_cpu"] == record["measure_cpu"] == cpu_name()
    assert record["created"] <= record["trained"] <= record["measured"] <= record["plotted"]
    assert len(record["class_counts"]["train"]) == len(record["class_counts"]["test"]) == 10
    assert sum(record["class_counts"]["test"]) == 360
    assert record["source"] == [source_digest("mlp_single")]


def test_run_json_tells_of_every_code_that_trained(tmp_path, monkeypatch):
    run = Run(config_with(), tmp_path / "run", "run")
    for digest in ("before", "edited", "edited"):
        monkeypatch.setattr("layerscope.run.source_digest", lambda model, code=digest: {"layerscope": code})
        with pytest.raises(Stopped):
            run.train(should_stop=AfterCalls(2))
    record = json.loads(run.record_path.read_text())
    assert record["source"] == [{"layerscope": "before"}, {"layerscope": "edited"}]


class AfterCalls:
    """A ``should_stop`` that says yes after so many questions."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        self.left -= 1
        return self.left < 0


def states(run):
    return {stage: (run.status(stage).read() or StageStatus("new")).state for stage in STAGES}


def test_a_stopped_training_is_not_done_and_goes_on_with_the_same_bits(finished, tmp_path):
    run = Run(config_with(), tmp_path / "run", "run")
    with pytest.raises(Stopped, match="training was stopped after epoch 1"):
        run.train(should_stop=AfterCalls(18))  # 13 steps in an epoch
    assert states(run) == {"train": "stopped", "measure": "new", "plot": "new"}
    assert not run.done("train")
    assert run.train()
    assert states(run)["train"] == "done"
    assert run.status("train").read().attempt == 2
    last = "checkpoints/epoch_0002.safetensors"
    assert (run.folder / last).read_bytes() == (finished.folder / last).read_bytes()


def test_stopped_measuring_keeps_what_was_measured_and_does_the_rest_later(finished, copy):
    shutil.rmtree(copy.folder / "measurements")
    with pytest.raises(Stopped, match="measuring was stopped"):
        copy.measure(should_stop=AfterCalls(1))
    assert states(copy)["measure"] == "stopped"
    assert sorted(copy.pending_measures()) == [1, 2]
    assert copy.measure()
    for name in ("CDNV.csv", "Accuracy.csv"):
        path = f"measurements/{name}"
        assert (copy.folder / path).read_bytes() == (finished.folder / path).read_bytes()


def test_stopped_drawing_leaves_whole_figures_and_draws_the_rest_later(finished, copy):
    shutil.rmtree(copy.folder / "plots")
    with pytest.raises(Stopped, match="drawing was stopped"):
        copy.plot(should_stop=AfterCalls(1))
    assert sorted(path.name for path in copy.plots_path.iterdir()) == ["Accuracy.pdf", "Accuracy.png"]
    assert copy.plot()
    names = [sorted(path.name for path in run.plots_path.iterdir()) for run in (copy, finished)]
    assert names[0] == names[1]


def test_a_diverged_training_fails_with_its_reason(tmp_path):
    tree = config_with(Model={"model-name": "mlp_small_nobn"}, Optimizer={"lr": 1e9})
    run = Run(tree, tmp_path / "run", "run")
    with pytest.raises(TrainingDiverged) as diverged:
        run.train()
    status = run.status("train").read()
    assert (status.state, status.reason) == ("failed", str(diverged.value))
    assert status.progress == -1


def test_what_cannot_begin_yet_is_blocked(tmp_path):
    run = Run(config_with(), tmp_path / "run", "run")
    with pytest.raises(Blocked):
        run.measure()
    with pytest.raises(Blocked):
        run.plot()
    assert states(run) == {"train": "new", "measure": "blocked", "plot": "blocked"}


def test_a_folder_in_use_keeps_the_status_of_who_uses_it(tmp_path):
    run = Run(config_with(), tmp_path / "run", "run")
    with run.working():
        run.status("train").write(StageStatus("running", pid=1, host="another"))
        with pytest.raises(RunFolderError, match="in use"):
            run.train()
    assert run.status("train").read() == StageStatus("running", pid=1, host="another")


def test_stages_run_in_their_order_and_unknown_ones_are_named():
    assert chosen_stages(["plot", "train"]) == ("train", "plot")
    with pytest.raises(UsageError, match="unknown stage 'mesure'; the stages are train, measure, plot"):
        chosen_stages(["mesure"])


def test_a_gpu_that_is_not_there_is_an_error_at_once(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(UsageError, match=f"--device cuda: {os.uname().nodename} has 0 usable GPUs"):
        Run(config_with(), tmp_path / "run", "run").train(device="cuda")


def test_the_best_checkpoint_is_measured_like_the_others_and_the_held_out_samples_are_listed(tmp_path):
    tree = {
        "Data": {"validation": 0.2},
        "Logging": {"log-epochs": [0], "keep-best": True},
        "Optimizer": {"lr": 0.5, "loss": "celoss", "epochs": 3, "schedule": "constant"},
        "Measurements": {"measures": ["Accuracy"], "splits": ["validation", "test"]},
    }
    run = Run(config_with(**tree), tmp_path / "run", "run")
    assert run.train()
    assert run.trained
    assert run.measure()
    best = run.checkpoints.best()
    accuracy = run.tables.read("Accuracy").query("split == 'validation'").set_index("epoch")
    assert sorted(set(accuracy.index)) == sorted({0, best, 3})
    log = pandas.read_csv(run.log_path).set_index("epoch")["validation_accuracy"]
    assert log[best] == log.max()
    assert json.loads(run.record_path.read_text())["best_epoch"] == best
    held = pandas.read_csv(run.validation_path)
    data = run.data()
    assert held["index"].tolist() == data.validation_places.tolist()
    assert held["label"].tolist() == data.validation.labels.tolist()
    weights = run.model("best").state_dict()
    assert all(torch.equal(weights[key], value) for key, value in run.model(best).state_dict().items())


def test_the_best_of_a_run_that_keeps_none_says_what_to_do(finished):
    with pytest.raises(MeasurementError, match=r"set Logging\.keep-best: True"):
        finished.model("best")
