"""Runs are chosen by name, pattern, place in the matrix, or config."""

from __future__ import annotations

import pytest

from layerscope.config import load_matrix
from layerscope.errors import UsageError
from layerscope.launch.selection import select
from layerscope.run import Run

MATRIX = """
Model: {model-name: mlp_small, embedding-layers: [fc]}
Data: {dataset-id: digits, do-augmentation: False}
Optimizer: {epochs: 2, weight-decay: 5.e-4}
Logging: {save-dir: logs, log-epochs: [0, 2]}
Matrix:
  _Exclusive:
    small: {Model: {model-name: [mlp_small]}}
    wide: {Model: {model-name: [mlp_wide]}}
  Optimizer: {lr: [0.1, 1e-2], weight-decay: [0, 5.e-4]}
  Run: {run: [0, 1]}
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    path = tmp_path_factory.mktemp("matrix") / "matrix.yaml"
    path.write_text(MATRIX, encoding="utf-8")
    return [Run(cell.config, path.parent / cell.name, cell.name, cell.axes) for cell in load_matrix(path)]


def names(runs, *patterns):
    return [run.name for run in select(runs, patterns)]


def test_without_a_pattern_all_runs_are_meant(runs):
    assert select(runs, []) == runs
    assert len(runs) == 16


def test_a_run_is_chosen_by_its_name(runs):
    assert names(runs, runs[3].name) == [runs[3].name]


def test_names_add_up_in_the_order_of_the_runs(runs):
    assert names(runs, runs[5].name, runs[2].name) == [runs[2].name, runs[5].name]


def test_a_pattern_stands_for_names(runs):
    assert names(runs, "wide/*run_1") == [
        run.name for run in runs if run.name.startswith("wide/") and run.config.run.run == 1
    ]


@pytest.mark.parametrize("pattern", ["Optimizer.lr=0.01", "lr=1e-2", "LR=.01"])
def test_a_value_may_be_spelled_in_any_way(runs, pattern):
    chosen = select(runs, [pattern])
    assert len(chosen) == 8
    assert {run.config.optimizer.lr for run in chosen} == {0.01}


def test_different_keys_agree_and_values_of_one_key_add_up(runs):
    chosen = select(runs, ["lr=0.1", "run=0", "exclusive=small", "wd=0", "wd=5e-4"])
    assert [(run.axes["Optimizer.weight-decay"], run.config.run.run) for run in chosen] == [
        (0.0, 0),
        (5e-4, 0),
    ]


def test_names_and_values_agree(runs):
    assert all(run.name.startswith("small/") for run in select(runs, ["small/*", "run=1"]))
    assert len(select(runs, ["small/*", "run=1"])) == 4


def test_what_the_matrix_does_not_vary_can_be_asked_for_too(runs):
    assert select(runs, ["dataset-id=DIGITS"]) == runs
    assert select(runs, ["Data.do_augmentation=False"]) == runs


def test_a_word_may_be_a_pattern(runs):
    assert {run.axes["exclusive"] for run in select(runs, ["model-name=*wide"])} == {"wide"}


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (["smal/lr_0.1"], r"no run is called 'smal/lr_0.1'; did you mean 'small/"),
        (["lr=0.5"], r"no run has Optimizer.lr = 0.5; there is 0.01, 0.1"),
        (["learning=0.1"], r"no config has the key 'learning'"),
        (["run=0", "run_0*"], r"no run is called 'run_0\*'"),
        (["exclusive=small", "model-name=mlp_wide"], r"no run is all of it"),
        (["do-augmentation=0"], r"no run has Data.do-augmentation = 0"),
    ],
)
def test_what_means_no_run_is_an_error_that_helps(runs, patterns, message):
    with pytest.raises(UsageError, match=message):
        select(runs, patterns)
