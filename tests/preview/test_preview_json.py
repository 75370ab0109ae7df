"""What a program reads: one object with everything."""

from __future__ import annotations

import json

import pytest

from layerscope.config import parse_config
from layerscope.preview.plain import as_json


@pytest.fixture
def tree(look):
    sections = {"Matrix": {"Model": {"embedding-layers": [["fc"], ["blok"]]}, "Run": {"run": [0, 1]}}}
    return json.loads(as_json(look({"slurm": True}, **sections)))


def test_every_run_has_its_name_path_config_difference_and_state(tree):
    assert [run["name"] for run in tree["runs"]] == [
        f"embedding-layers_{layers}/run_{number}" for layers in ("fc", "blok") for number in (0, 1)
    ]
    run = tree["runs"][1]
    assert run["path"] == "logs/embedding-layers_fc/run_1"
    assert run["differs"] == {"Model.embedding-layers": ["fc"], "Run.run": 1}
    assert run["state"] == "new"
    assert run["stages"] == {"train": "new", "measure": "new", "plot": "new"}


@pytest.mark.parametrize("slurm", [{}, {"partition": "gpu", "extra": {"nodelist": "node07"}}])
def test_the_config_of_a_run_is_complete(look, slurm):
    seen = look(Matrix={"Run": {"run": [0, 1]}}, Slurm=slurm)
    tree = json.loads(as_json(seen))
    assert [run["config"] for run in tree["runs"]] == [run.config.resolved() for run in seen.runs]
    assert parse_config(tree["runs"][1]["config"]) == seen.runs[1].config


def test_models_have_their_layers_and_runs_their_model(tree):
    model = tree["models"][tree["runs"][0]["model"]]
    assert [(layer["name"], layer["dim"]) for layer in model["layers"]] == [("block0.fc", 64), ("fc", 512)]
    assert model["parameters"] > 0
    assert model["measuring"][0]["samples"] == {"train": 1437, "test": 360}


def test_problems_name_their_runs(tree):
    (problem,) = tree["problems"]
    assert problem["runs"] == ["embedding-layers_blok/run_0", "embedding-layers_blok/run_1"]


def test_arrays_have_their_scripts(tree):
    assert [array["stage"] for array in tree["arrays"]] == ["train", "measure", "plot"]
    assert all(array["script"].startswith("#!/bin/bash\n") for array in tree["arrays"])


def test_totals_count_runs_by_state_and_stage(tree):
    totals = tree["totals"]
    assert (totals["runs"], totals["states"]) == (4, {"new": 4})
    assert totals["stages"]["plot"] == {"new": 4}
    assert totals["checkpoints"] == 8
    assert totals["disk_bytes"] == sum(run["disk_bytes"] for run in tree["runs"]) > 0


def test_a_run_stands_on_one_line(look):
    text = as_json(look(Matrix={"Run": {"run": [0, 1]}}))
    assert sum('"name": "run_' in line for line in text.splitlines()) == 2
