"""The configs in config/ and the schema that editors check them with."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from layerscope.config import json_schema, load_config, read_document
from layerscope.config.screening import load_screening

FOLDER = Path(__file__).parents[2] / "config"
EVERY = sorted(FOLDER.glob("*.yaml"))
SCREENINGS = [path for path in EVERY if path.stem.startswith("screen_")]
SHIPPED = [path for path in EVERY if path not in SCREENINGS]
VALIDATOR = jsonschema.Draft202012Validator(json_schema())

GOOD = {
    "Model": {"model-name": "mlp"},
    "Data": {"dataset-id": "digits"},
    "Optimizer": {"lr": 0.1, "epochs": 2},
    "Logging": {"save-dir": "x"},
}


def accepts(section, key, value):
    return VALIDATOR.is_valid({**GOOD, section: {**GOOD.get(section, {}), key: value}})


def test_the_five_configs_are_there():
    names = {path.stem for path in SHIPPED}
    assert {"debug", "mlp", "convnet", "resnet18_cifar10", "fashion_mnist_mlp"} <= names


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_config_loads_without_a_warning_and_says_what_it_asks(path, caplog):
    load_config(path)
    assert not caplog.records
    opening = path.read_text(encoding="utf-8").splitlines()[:3]
    assert [line.split(":")[0] for line in opening] == ["# Question", "# Cost", "# Expect"]


@pytest.mark.parametrize("path", SCREENINGS, ids=lambda path: path.stem)
def test_a_shipped_screening_loads_and_says_what_it_asks(path, caplog):
    assert load_screening(path).settings.models
    assert not caplog.records
    opening = path.read_text(encoding="utf-8").splitlines()[:3]
    assert [line.split(":")[0] for line in opening] == ["# Question", "# Cost", "# Expect"]
    VALIDATOR.validate(read_document(path).data)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_schema_accepts_a_shipped_config_and_its_full_spelling(path):
    VALIDATOR.validate(read_document(path).data)
    VALIDATOR.validate(load_config(path).resolved())


def test_the_schema_knows_files_that_name_networks_and_asks_runs_for_all_that_they_need():
    rest = {name: GOOD[name] for name in ("Data", "Logging")}
    entry = {"model": "mlp", "files": ["a.pt", "b.pt"]}
    assert VALIDATOR.is_valid({"Screen": {"models": "mlp", "checkpoints": ["a/*.pt", entry]}, **rest})
    assert not VALIDATOR.is_valid({"Screen": {"model": "mlp"}, **rest})
    assert not VALIDATOR.is_valid(rest)


def test_the_schema_is_itself_valid_and_describes_every_key():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for section in schema["$defs"].values():
        for key, content in section["properties"].items():
            assert content["title"] == key
            assert content["description"]
            assert "_" not in key


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Model", "embedding-layers", True),
        ("Model", "embedding-layers", "fc"),
        ("Model", "embedding-layers", ["fc"]),
        ("Model", "embedding-layers", "None"),
        ("Data", "dataset-id", "FashionMNIST"),
        ("Optimizer", "lr", None),
        ("Optimizer", "lr-decay-steps", [1, 2]),
        ("Measurements", "measures", True),
        ("Measurements", "measures", "Fast_StableRank"),
        ("Measurements", "measures", ["CDNV"]),
        ("Matrix", "Optimizer", {"lr": [1, 2]}),
    ],
)
def test_the_schema_accepts_what_the_parser_accepts(section, key, value):
    assert accepts(section, key, value)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Model", "embedding-layers", False),
        ("Model", "modelname", "x"),
        ("Data", "batch-size", "abc"),
        ("Data", "batch-size", 0),
        ("Optimizer", "loss", "mse"),
        ("Optimizer", "momentum", 1),
        ("Logging", "log-epochs", [1, "x"]),
        ("Section", "key", 1),
    ],
)
def test_the_schema_refuses_what_the_parser_refuses(section, key, value):
    assert not accepts(section, key, value)
