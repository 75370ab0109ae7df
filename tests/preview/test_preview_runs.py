"""What a preview says of each run: name, difference, checkpoints, state; and of all of them."""

from __future__ import annotations

import pytest

from layerscope.preview.preview import preview
from layerscope.status import StageStatus

MATRIX = {"Optimizer": {"lr": [0.05, 0.1]}, "Run": {"run": [0, 1]}}


def test_every_run_is_there_with_its_name_its_folder_and_what_differs(look, here):
    seen = look(Matrix=MATRIX)
    assert [(run.name, str(run.path)) for run in seen.runs] == [
        (name, f"logs/{name}") for name in ("lr_0.05/run_0", "lr_0.05/run_1", "lr_0.1/run_0", "lr_0.1/run_1")
    ]
    assert seen.runs[2].differs == {"Optimizer.lr": 0.1, "Run.run": 0}
    assert seen.axes == {"Optimizer.lr": (0.05, 0.1), "Run.run": (0, 1)}


def test_lists_can_be_varied(look):
    seen = look(Matrix={"Model": {"embedding-layers": [["fc"], ["block0.fc", "^fc"]]}})
    assert list(seen.axes.values()) == [(["fc"], ["block0.fc", "^fc"])]


def test_a_run_says_which_epochs_it_keeps(look):
    seen = look(Matrix={"Optimizer": {"epochs": [2, 5]}})
    assert [run.checkpoints for run in seen.runs] == [(0, 2), (0, 2, 5)]


def test_runs_that_left_no_trace_are_new(look):
    seen = look(Matrix=MATRIX)
    assert {tuple(run.stages.items()) for run in seen.runs} == {
        (("train", "new"), ("measure", "new"), ("plot", "new"))
    }
    assert {run.state for run in seen.runs} == {"new"}


def test_what_is_done_is_known_from_the_folders(experiment):
    made = experiment(Matrix={"Optimizer": {"lr": [0.05, 0.1]}})
    made.runs[1].train()
    made.runs[1].measure()
    seen = preview(made.runs, made.base)
    assert [dict(run.stages) for run in seen.runs] == [
        {"train": "new", "measure": "new", "plot": "new"},
        {"train": "done", "measure": "done", "plot": "new"},
    ]
    assert seen.runs[1].state == "new"
    assert preview(made.runs, made.base, ("train", "measure")).runs[1].state == "done"


def test_what_failed_is_told(experiment):
    made = experiment(Matrix=MATRIX)
    run = made.runs[3]
    run.claim_config()
    run.status("train").write(StageStatus("failed", "the loss became NaN"))
    assert [one.state for one in preview(made.runs, made.base).runs] == ["new", "new", "new", "failed"]


def test_the_disk_that_is_left_to_fill_shrinks_with_what_is_saved(experiment, look):
    made = experiment(Matrix={"Optimizer": {"lr": [0.05, 0.1]}})
    before = preview(made.runs, made.base).disk
    assert before.left_bytes == before.all_bytes == sum(before.run_bytes)
    made.runs[0].train()
    after = preview(made.runs, made.base).disk
    assert (after.all_bytes, after.left_bytes) == (before.all_bytes, before.all_bytes // 2)
    saved = sum(path.stat().st_size for path in (made.runs[0].folder / "checkpoints").iterdir())
    assert saved == pytest.approx(before.run_bytes[0], rel=0.05)


def test_a_single_run_has_no_axes(look):
    seen = look()
    assert (len(seen.runs), seen.runs[0].name, seen.axes) == (1, "logs", {})
