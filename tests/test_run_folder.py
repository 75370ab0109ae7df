"""A run's folder knows what it holds, quickly, and is never taken for another's."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest

from layerscope.config import dump_yaml, load_matrix, parse_config
from layerscope.errors import RunFolderError
from layerscope.files import write_json
from layerscope.plotting import FIGURES
from layerscope.run import Run
from layerscope.run_folder import RunFolder, config_text
from layerscope.status import STAGES, StageStatus

TREE = {
    "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 128},
    "Optimizer": {"lr": 0.05, "epochs": 1},
    "Logging": {"save-dir": "unused", "log-epochs": [0, 1], "trackers": []},
    "Measurements": {"measures": ["CDNV", "Accuracy"]},
}


def config_with(**sections):
    tree = {name: {**TREE.get(name, {}), **sections.get(name, {})} for name in {*TREE, *sections}}
    return parse_config(tree, source="test")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = Run(config_with(), tmp_path_factory.mktemp("runs") / "done", "done", {"Optimizer.lr": 0.05})
    assert not any(run.done(stage) for stage in STAGES)
    run.train()
    run.measure()
    run.plot()
    return run


@pytest.fixture
def copy(finished, tmp_path):
    """A finished run that a test may damage."""
    return replace(finished, folder=shutil.copytree(finished.folder, tmp_path / "copy"))


def test_a_finished_run_is_done_and_its_status_vouches_for_it(finished):
    for stage in STAGES:
        status = finished.status(stage).read()
        assert (status.state, status.key) == ("done", finished.stage_key(stage))
        assert finished.done(stage)


def test_without_status_files_the_files_themselves_decide(copy):
    shutil.rmtree(copy.folder / "status")
    assert all(copy.done(stage) for stage in STAGES)


@pytest.mark.parametrize("state", ["queued", "failed", "lost"])
def test_what_is_complete_is_done_whatever_the_status_says(copy, state):
    for stage in STAGES:
        copy.status(stage).write(StageStatus(state))
    assert all(copy.done(stage) for stage in STAGES)


def test_a_status_alone_makes_nothing_done(tmp_path):
    run = RunFolder(config_with(), tmp_path / "run", "run")
    for stage in STAGES:
        run.status(stage).write(StageStatus("done", key=run.stage_key(stage)))
    assert not any(run.done(stage) for stage in STAGES)


def done(run):
    return [stage for stage in STAGES if run.done(stage)]


def test_a_truncated_checkpoint_undoes_everything(copy):
    path = copy.folder / "checkpoints/epoch_0001.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert done(copy) == []


def test_a_lost_table_undoes_measuring(copy):
    (copy.folder / "measurements/CDNV.csv").unlink()
    assert "train" in done(copy)
    assert "measure" not in done(copy)


def test_a_lost_figure_undoes_plotting(copy):
    (copy.folder / "plots/Overview.png").unlink()
    assert done(copy) == ["train", "measure"]


def test_a_run_of_a_matrix_is_drawn_as_one_picture_unless_more_is_asked_for(copy):
    assert [path.name for path in copy.plots_path.iterdir()] == ["Overview.png"]
    alone, asked = replace(copy, axes={}), replace(copy, config=config_with(Logging={"figures": "all"}))
    assert (
        list(alone.figures())
        == list(asked.figures())
        == [name for name in FIGURES if name in asked.figures()]
    )
    assert {"CDNV", "Overview"} < set(asked.figures())
    assert done(alone) == done(asked) == ["train", "measure"]
    sheet = replace(alone, config=config_with(Logging={"figures": "overview"}))
    assert done(sheet) == ["train", "measure", "plot"]


def test_a_figure_drawn_on_request_is_drawn_again_with_the_overview(copy):
    later = (copy.plots_path / "Overview.png").stat().st_mtime_ns + 10**9
    (copy.plots_path / "CDNV.pdf").touch()
    assert {name: figure.formats for name, figure in copy.figures().items()} == {
        "CDNV": ("pdf",),
        "Overview": ("png",),
    }
    os.utime(copy.folder / "measurements/CDNV.csv", ns=(later, later))
    assert copy.plot()
    assert copy.plots_path.joinpath("CDNV.pdf").read_bytes().startswith(b"%PDF")
    assert done(copy) == list(STAGES)


def test_another_measure_undoes_measuring(copy):
    more = replace(copy, config=config_with(Measurements={"measures": ["CDNV", "Accuracy", "Traces"]}))
    assert done(more) == ["train", "plot"]


def test_nothing_of_another_config_is_done(copy):
    assert done(replace(copy, config=config_with(Optimizer={"lr": 0.1}))) == []


def test_a_measured_part_of_a_training_is_not_done(copy):
    longer = replace(copy, config=config_with(Optimizer={"epochs": 2}, Logging={"log-epochs": [0, 1, 2]}))
    assert done(longer) == []


def test_a_damaged_list_of_checkpoints_is_not_done_and_stops_nobody(copy):
    copy.checkpoints.path.write_text("{")
    assert done(copy) == []


def test_an_edited_list_of_tables_is_not_done(copy):
    (copy.folder / "measurements/manifest.json").write_text("[]")
    assert "measure" not in done(copy)


def test_open_brings_back_name_and_place_in_the_matrix(finished):
    run = Run.open(finished.folder)
    assert (run.name, run.axes, run.config) == ("done", {"Optimizer.lr": 0.05}, finished.config)


def test_open_of_a_run_of_an_older_version_has_no_axes(copy):
    record = json.loads(copy.record_path.read_text())
    copy.record_path.write_text(json.dumps({key: record[key] for key in ("hash", "created")}))
    run = Run.open(copy.folder)
    assert (run.name, run.axes) == ("copy", {})


def test_a_place_in_a_matrix_is_noted_in_a_run_that_had_none(copy):
    other = replace(copy, axes={"Optimizer.lr": 0.05, "Data.batch-size": 128})
    other.claim_config()
    assert Run.open(copy.folder).axes == other.axes
    replace(copy, axes={}).claim_config()
    assert Run.open(copy.folder).axes == other.axes


def counting(patch):
    """The names of the JSON files that are written from now on."""
    written = []

    def write(path, content, **how):
        written.append(path.name)
        write_json(path, content, **how)

    patch.setattr("layerscope.run_folder.write_json", write)
    return written


def test_the_axes_of_a_matrix_come_back_from_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "matrix.yaml"
    matrix = {"Optimizer": {"lr": [0.1, 1e-4]}, "Model": {"embedding-layers": [["fc"], True]}}
    path.write_text(dump_yaml({**TREE, "Matrix": matrix}))
    for cell in load_matrix(path):
        with monkeypatch.context() as patch:
            written = counting(patch)
            Run(cell.config, tmp_path / cell.name, cell.name, cell.axes).claim_config()
        assert written == ["run.json"]
        before = (tmp_path / cell.name / "run.json").stat().st_mtime_ns
        run = Run.open(tmp_path / cell.name)
        assert (run.axes, run.name) == (cell.axes, cell.name)
        Run(cell.config, tmp_path / cell.name, cell.name, cell.axes).claim_config()
        assert (tmp_path / cell.name / "run.json").stat().st_mtime_ns == before


def test_config_yaml_is_the_dump_of_the_whole_config():
    for config in (config_with(), config_with(Measurements={"splits": ["train"]})):
        assert config_text(config) == dump_yaml(config.resolved())


def test_a_queued_run_keeps_its_config(tmp_path):
    run = RunFolder(config_with(), tmp_path / "run", "run")
    run.claim_config()
    run.status("train").write(StageStatus("queued", job="5_0"))
    with pytest.raises(RunFolderError, match=r"Optimizer\.lr: 0\.05 → 0\.1"):
        replace(run, config=config_with(Optimizer={"lr": 0.1})).claim_config()
    run.status("train").write(StageStatus("cancelled", job="5_0"))
    replace(run, config=config_with(Optimizer={"lr": 0.1})).claim_config()
    assert Run.open(run.folder).config.optimizer.lr == 0.1


def test_the_newest_epoch_is_that_of_the_log(finished, tmp_path):
    assert finished.last_epoch() == 1
    assert RunFolder(config_with(), tmp_path, "empty").last_epoch() == -1
