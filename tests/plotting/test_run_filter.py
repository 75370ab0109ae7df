"""Choosing runs by their configs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from layerscope.errors import UsageError
from layerscope.plotting import NCPlotter
from layerscope.plotting.run_filter import matching_runs


@pytest.fixture
def runs(tmp_path: Path, synthetic: Any) -> Path:
    base = tmp_path / "logs"
    for name, data, lr, run in (
        ("a/lr_0.1", "digits", 0.1, 0),
        ("a/lr_0.01", "digits", 0.01, 1),
        ("b", "fashionmnist", 0.1, 0),
    ):
        synthetic.write(["fc"], [0, 1], data=data, lr=lr, run=run)
        shutil.copytree(synthetic.folder, base / name)
    (base / "not_a_run").mkdir()
    (base / "not_a_run" / "config.yaml").write_text("other: tool\n", encoding="utf-8")
    return base


def names(base: Path, wanted: dict[str, Any]) -> list[str]:
    return [str(folder.relative_to(base)) for folder in matching_runs(base, wanted)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["a/lr_0.01", "a/lr_0.1", "b"]),
        ({"Data": {"dataset-id": "fashionmnist"}}, ["b"]),
        ({"data": {"dataset_id": "Fashion-MNIST"}}, ["b"]),
        ({"Data": {"dataset-id": "digits"}, "Optimizer": {"lr": 1e-1}}, ["a/lr_0.1"]),
        ({"Optimizer": {"lr": [0.01, 0.5]}}, ["a/lr_0.01"]),
        ({"Run": {"run": 1}}, ["a/lr_0.01"]),
        ({"Data": {"do-augmentation": False}, "Run": {"run": 0}}, ["a/lr_0.1", "b"]),
    ],
)
def test_runs_are_found_by_what_their_configs_say(runs, wanted, found):
    assert names(runs, wanted) == found


def test_an_unknown_key_is_answered_with_the_nearest(runs):
    with pytest.raises(UsageError, match=r"no config has the key data\.dataset; nearest: .*data\.dataset-id"):
        matching_runs(runs, {"Data": {"dataset": "digits"}})


def test_no_match_says_what_there_is(runs):
    with pytest.raises(UsageError, match=r"none of the 3 runs .* data\.dataset-id is digits or fashionmnist"):
        matching_runs(runs, {"Data": {"dataset-id": "mnist"}})


def test_truth_is_not_the_number_one(runs):
    with pytest.raises(UsageError, match="none of the 3 runs"):
        matching_runs(runs, {"Run": {"run": True}})


def test_a_folder_without_runs_says_so(tmp_path):
    with pytest.raises(UsageError, match="there is no run below"):
        NCPlotter.plot_runs(tmp_path / "nowhere")


def test_plot_runs_draws_the_chosen_runs(runs):
    written = NCPlotter.plot_runs(runs, {"Data": {"dataset-id": "digits"}}, figures=["NCC"])
    assert [str(path.relative_to(runs)) for path in written] == [
        f"a/{run}/plots/NCC.{kind}" for run in ("lr_0.01", "lr_0.1") for kind in ("pdf", "png")
    ]
    assert NCPlotter.plot_runs(runs, {"Data": {"dataset-id": "digits"}}, figures=["NCC"]) == []
