"""The matrices in matrix/: each loads, and is as large as its header says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from layerscope.config import load_matrix

FOLDER = Path(__file__).parents[2] / "matrix"
SHIPPED = sorted(FOLDER.rglob("*.yaml"))


def header(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("#"))


def test_the_four_matrices_are_there():
    assert {"debug", "mlp_depth", "papyan_mse", "customnets"} <= {path.stem for path in SHIPPED}


def test_every_group_about_imbalance_has_a_small_sibling():
    names = {path.stem for path in SHIPPED if path.parent.name == "imbalance"}
    numbers = {name.partition("_")[0] for name in names}
    assert numbers == {f"exp{number:02d}" for number in range(1, 11)}
    assert {f"{number}_small" for number in numbers} <= names
    assert len(names) == 20


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_matrix_has_as_many_runs_as_its_header_says(path, caplog):
    stated = re.search(r"^# Runs: +([0-9]+)\b", header(path), re.MULTILINE)
    assert len(load_matrix(path)) == int(stated[1])
    assert not caplog.records


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_matrix_opens_with_what_it_asks_costs_and_expects(path):
    words = re.findall(r"^# (\w+):", header(path), re.MULTILINE)
    assert words == ["Question", "Runs", "Cost", "Expect"]
    assert "GPU-hours" in header(path)


def test_the_collapse_studies_have_the_published_numbers():
    cells = {cell.name: cell.config for cell in load_matrix(FOLDER / "papyan_mse.yaml")}
    rates = {name: config.optimizer.lr for name, config in cells.items()}
    assert rates == {
        "SVHN/resnet34": 0.009596916,
        "SVHN/vgg13_bn": 0.018420157,
        "MNIST/resnet18": 0.018420157,
        "MNIST/vgg11_bn": 0.025519618,
        "FashionMNIST/resnet18": 0.094015077,
        "FashionMNIST/vgg11_bn": 0.018420157,
        "CIFAR10/resnet50": 0.009595916,
        "CIFAR10/vgg11_bn": 0.025519618,
        "STL-10/resnet18": 0.06786044,
        "STL-10/vgg11_bn": 0.018420157,
    }
    assert {config.optimizer.weight_decay for config in cells.values()} == {5e-4}
    assert cells["STL-10/vgg11_bn"].data.dataset_id == "stl10"
