"""Choosing runs by their configs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from layerscope.config import load_config
from layerscope.errors import ConfigError, UsageError
from layerscope.results import stored_config
from layerscope.results.run_filter import matching_runs
from layerscope.results.stored_config import leaves, stored_values

CONFIG = """\
Model: {{model-name: mlp_small}}
Data: {{dataset-id: {data}}}
# a comment between sections
Optimizer: {{lr: {lr}, epochs: 2}}

Logging: {{save-dir: logs/test, log-interval: 1}}
Run: {{run: {run}}}
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    for name, data, lr, run in (
        ("a/lr_0.1", "digits", 0.1, 0),
        ("a/lr_0.01", "digits", 0.01, 1),
        ("b", "fashionmnist", 0.1, 0),
    ):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "config.yaml").write_text(CONFIG.format(data=data, lr=lr, run=run), encoding="utf-8")
        (folder / "log.csv").touch()
    (tmp_path / "not_a_run").mkdir()
    (tmp_path / "not_a_run" / "config.yaml").write_text("other: tool\n", encoding="utf-8")
    return tmp_path


def names(base: Path, wanted: dict[str, Any]) -> list[str]:
    return [str(folder.relative_to(base)) for folder in matching_runs(base, wanted)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["a/lr_0.01", "a/lr_0.1", "b"]),
        ({"Data": {"dataset-id": "fashionmnist"}}, ["b"]),
        ({"data": {"dataset_id": "Fashion-MNIST"}}, ["b"]),
        ({"Data.dataset-id": "fashionmnist"}, ["b"]),
        ({"Data": {"dataset-id": "digits"}, "Optimizer": {"lr": 1e-1}}, ["a/lr_0.1"]),
        ({"Optimizer": {"lr": [0.01, 0.5]}}, ["a/lr_0.01"]),
        ({"Run": {"run": 1}}, ["a/lr_0.01"]),
        ({"Data": {"do-augmentation": False}, "Run": {"run": 0}}, ["a/lr_0.1", "b"]),
    ],
)
def test_runs_are_found_by_what_their_configs_say(runs, wanted, found):
    assert names(runs, wanted) == found


def test_an_unknown_key_is_answered_with_the_nearest(runs):
    with pytest.raises(UsageError, match=r"no config has the key Data\.dataset; nearest: .*Data\.dataset-id"):
        matching_runs(runs, {"Data": {"dataset": "digits"}})


def test_no_match_says_what_there_is(runs):
    with pytest.raises(UsageError, match=r"none of the 3 runs .* Data\.dataset-id is digits or fashionmnist"):
        matching_runs(runs, {"Data": {"dataset-id": "mnist"}})


def test_truth_is_not_the_number_one(runs):
    with pytest.raises(UsageError, match="none of the 3 runs"):
        matching_runs(runs, {"Run": {"run": True}})


def test_a_folder_without_runs_says_so(tmp_path):
    with pytest.raises(UsageError, match="there is no run below"):
        matching_runs(tmp_path / "nowhere", {})


@pytest.mark.parametrize(
    "text",
    [
        CONFIG.format(data="digits", lr=0.1, run=3),
        CONFIG.format(data="digits", lr=0.1, run=3) + "Slurm: {mem: 4GB, train: {cpus: 2}}\n",
        "{Model: {model-name: mlp_small}, Data: {dataset_id: MNIST}, Logging: {save-dir: a},\n"
        "Optimizer: {epochs: 3, lr: 1e-1}}",
        "Model: &m\n  model-name: MLP_small\nData: {dataset-id: mnist}\nLogging: {save-dir: a}\n"
        "Optimizer: {epochs: 3, lr: 0.1}\nRun: {}\n",
        "\n# said at the top\n---\nModel:\n  model-name: mlp_small\nData:\n  dataset-id: mnist\n"
        "Logging:\n  save-dir: a\nOptimizer:\n  epochs: 3\n  lr: 1\nRun:\n",
    ],
)
def test_the_quick_way_reads_what_the_whole_config_says(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    assert dict(stored_values(path)) == leaves(load_config(path).resolved())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Model: {model-name: mlp_small}\n",
        "other: tool\n",
        CONFIG.format(data="digits", lr=0.1, run=0) + "Run: {run: 1}\n",
        CONFIG.format(data="digits", lr="fast", run=0),
        CONFIG.format(data="digits", lr=0.1, run=0) + "Data: {dataset-id: [\n",
    ],
)
def test_the_quick_way_refuses_what_the_whole_config_refuses(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as whole:
        load_config(path)
    with pytest.raises(ConfigError) as quick:
        stored_values(path)
    assert quick.value.problems == whole.value.problems


def test_a_section_that_runs_share_is_read_once(runs):
    stored_config._section.cache_clear()
    matching_runs(runs, {"Run": {"run": 1}})
    assert stored_config._section.cache_info().misses == 1 + 2 + 2 + 1 + 2  # of 15 sections
