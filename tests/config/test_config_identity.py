"""The full spelling of a config, the identity of its weights, its epochs and its randomness."""

from __future__ import annotations

import json

import pytest

from layerscope.config import dump_yaml, parse_config
from layerscope.config.yaml_reader import document_from_text

SMALLEST = {
    "Model": {"model-name": "mlp"},
    "Data": {"dataset-id": "digits"},
    "Optimizer": {"lr": 0.1, "epochs": 20},
    "Logging": {"save-dir": "logs/x"},
}


def config_with(section="Run", **keys):
    return parse_config({**SMALLEST, section: {**SMALLEST.get(section, {}), **keys}})


def from_text(text):
    return parse_config(document_from_text(text, "f"))


def test_the_hash_is_pinned():
    """A changed hash makes every finished run look like another one: change it knowingly or not at all."""
    assert parse_config(SMALLEST).hash == "24db081f"


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Model", "embedding-layers", ["fc"]),
        ("Model", "tap", "output"),
        ("Model", "reduce", "mean"),
        ("Data", "root", "/elsewhere"),
        ("Data", "download", True),
        ("Data", "num-workers", 0),
        ("Logging", "save-dir", "elsewhere"),
        ("Logging", "trackers", []),
        ("Logging", "log-epochs", [*range(11), 20, 20]),
        ("Measurements", "measures", True),
        ("Optimizer", "lr", 1e-1),
        ("Optimizer", "weight-decay", 0),
        ("Data", "validation", 0.0),
        ("Optimizer", "objective", "supervised"),
        ("Logging", "keep-best", False),
        ("Logging", "figures", "all"),
    ],
)
def test_what_does_not_change_the_weights_does_not_change_the_hash(section, key, value):
    assert config_with(section, **{key: value}).hash == parse_config(SMALLEST).hash


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("Model", "model-name", "mlp_small"),
        ("Model", "weights", "w.pt"),
        ("Data", "subset", 100),
        ("Data", "random-labels", 0.1),
        ("Data", "validation", 0.1),
        ("Optimizer", "objective", "contrastive"),
        ("Model", "conv-init-std", 0.1),
        ("Optimizer", "lr", 0.10001),
        ("Optimizer", "autocast", "bf16"),
        ("Logging", "log-epochs", [0]),
        ("Run", "run", 1),
        ("Run", "seed", 1),
    ],
)
def test_what_changes_the_weights_changes_the_hash(section, key, value):
    assert config_with(section, **{key: value}).hash != parse_config(SMALLEST).hash


def test_the_place_of_the_users_own_arrays_is_part_of_the_identity():
    first, second = (
        config_with("Data", **{"dataset-id": "arrays", "root": root}) for root in ("a.npz", "b.npz")
    )
    assert first.hash != second.hash


def test_spellings_of_one_number_and_one_name_are_one_identity():
    one = "Model: {model-name: MLP}\nData: {dataset-id: Digits}\nLogging: {save-dir: x}\n"
    texts = [one + f"Optimizer: {{lr: {lr}, epochs: 1}}" for lr in ("0.1", "1e-1", "0.10", "1.e-1")]
    assert len({from_text(text).hash for text in texts}) == 1
    assert from_text(one + "Optimizer: {lr: 1, epochs: 1}") == from_text(
        one + "Optimizer: {lr: 1.0, epochs: 1}"
    )


def test_the_full_spelling_parses_to_the_same_config():
    changes = {
        "Model": {"weights": "w.pt", "reduce": "project:8"},
        "Measurements": {"memory": 10, "measures": "NC1"},
    }
    config = parse_config({**SMALLEST, **changes, "Model": {**SMALLEST["Model"], **changes["Model"]}})
    resolved = config.resolved()
    assert json.loads(json.dumps(resolved)) == resolved
    assert parse_config(resolved) == config
    assert from_text(dump_yaml(resolved)) == config
    assert list(resolved) == ["Model", "Data", "Optimizer", "Logging", "Measurements", "Run"]
    assert resolved["Optimizer"]["lr-decay-steps"] == 3


def test_a_config_cannot_be_changed():
    config = parse_config(SMALLEST)
    with pytest.raises(ValueError, match="frozen"):
        config.optimizer.lr = 1.0
    assert hash(config) == hash(parse_config(SMALLEST))


@pytest.mark.parametrize(
    ("logging", "epochs", "kept"),
    [
        ({}, 3, (0, 1, 2, 3)),
        ({}, 35, (*range(11), 20, 30, 35)),
        ({"log-interval": 4}, 21, (*range(11), 12, 16, 20, 21)),
        ({"log-epochs": [5, 0, 5]}, 20, (0, 5, 20)),
        ({"log-epochs": [0, 20, 300]}, 20, (0, 20)),
        ({"log-epochs": [], "log-interval": 1}, 20, (20,)),
    ],
)
def test_the_kept_epochs_are_sorted_and_end_with_the_last(logging, epochs, kept):
    config = parse_config(
        {**SMALLEST, "Optimizer": {"lr": 1, "epochs": epochs}, "Logging": {"save-dir": "x", **logging}}
    )
    assert config.checkpoint_epochs == kept


def test_seeds_differ_by_stream_run_and_seed_and_stay_the_same():
    base = config_with().run
    seeds = [base.seed_for("init"), base.seed_for("labels"), config_with(run=1).run.seed_for("init")]
    seeds.append(config_with(seed=1).run.seed_for("init"))
    assert len(set(seeds)) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert base.seed_for("init") == config_with(seed=0).run.seed_for("init") == 6840261872783522198


def test_keeping_the_best_epoch_is_part_of_the_identity():
    tree = {**SMALLEST, "Data": {"dataset-id": "digits", "validation": 0.1}}
    kept = {**tree, "Logging": {"save-dir": "logs/x", "keep-best": True}}
    assert parse_config(tree).hash != parse_config(kept).hash
