"""``Data.imbalance`` and the keys of the optimizer that came with it."""

from __future__ import annotations

import pytest

from layerscope.config import Config, parse_config
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError

SMALLEST = {
    "Model": {"model-name": "mlp"},
    "Data": {"dataset-id": "digits"},
    "Optimizer": {"lr": 0.1, "epochs": 20},
    "Logging": {"save-dir": "logs/x"},
}


def config_with(section, **keys) -> Config:
    return parse_config({**SMALLEST, section: {**SMALLEST[section], **keys}})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"factor": 0}, "factor must be a number above 0 and at most 1, not 0"),
        ({"factor": -0.1}, "factor must be a number above 0 and at most 1, not -0.1"),
        ({"factor": 1.5}, "factor must be a number above 0 and at most 1, not 1.5"),
        ({"factor": 0.1, "profile": "expo"}, "profile must be exp, step or native, not 'expo'; did you mean"),
        ({"factor": 0.1, "min-per-class": -1}, "min-per-class must be a whole number of at least 0, not -1"),
        ({"profile": "step"}, "factor of imbalance is not set; profile: step needs it"),
        ({"profile": "native", "factor": 0.1}, "is ignored by profile: native"),
        ({"fator": 0.1}, "unknown key 'fator' in Data.imbalance; did you mean 'factor'?"),
        (0.1, r"imbalance must be keys with values \('factor: 0.01'\), not 0.1"),
    ],
)  # fmt: skip
def test_a_wrong_imbalance_is_refused_when_the_config_is_read(given, message):
    with pytest.raises(ConfigError, match=message):
        config_with("Data", imbalance=given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gamma": 2}, "gamma means nothing for loss: mseloss; it is for focal"),
        ({"loss": "focal", "tau": 1}, "tau means nothing for loss: focal; it is for logit-adjustment"),
        ({"loss": "focal", "label-smoothing": 0.1}, "label-smoothing is not defined for loss: focal"),
        ({"class-weights": "inverse-sqrt"}, "class-weights must be inverse, sqrt-inverse, or a list"),
        ({"lr-groups": {"^fc": 0}}, r"lr-groups: '\^fc' must be a number above 0 \(a multiple of lr\)"),
        ({"lr-groups": 0.1}, "lr-groups must be a mapping of module names to multiples of lr"),
    ],
)  # fmt: skip
def test_settings_of_the_loss_that_would_be_ignored_are_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        config_with("Optimizer", **given)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Data", "imbalance", {"factor": 1.0}),
        ("Data", "channels", 3),
        ("Optimizer", "label-smoothing", 0.1),
        ("Optimizer", "class-weights", "inverse"),
        ("Optimizer", "drift-penalty", 0.1),
        ("Optimizer", "decay", "weights"),
        ("Optimizer", "lr-groups", {"^fc": 0.1}),
    ],
)
def test_new_keys_change_the_identity_only_when_they_are_set(section, key, value):
    assert config_with(section, **{key: value}).hash != parse_config(SMALLEST).hash
    assert config_with(section, **{key: None}).hash == parse_config(SMALLEST).hash


def test_the_full_spelling_parses_to_the_same_config():
    config = config_with("Data", imbalance={"factor": 0.1}).resolved()
    config["Optimizer"]["lr-groups"] = {"layer_1": 2, "^fc": 0.1}
    assert parse_config(parse_config(config).resolved()) == parse_config(config)


def test_a_mistake_within_a_nested_key_has_its_line():
    text = "Data:\n  dataset-id: digits\n  imbalance:\n    profile: step\n    factor: 3\n"
    rest = "Model: {model-name: mlp}\nOptimizer: {lr: 1, epochs: 1}\nLogging: {save-dir: x}\n"
    with pytest.raises(ConfigError, match="f:5: factor must be"):
        parse_config(document_from_text(text + rest, "f"))
