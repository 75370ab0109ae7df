"""From a file to a config: what loads, and how every mistake is told."""

from __future__ import annotations

import logging

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layerscope.config import load_config, parse_config, read_document
from layerscope.config.names import MEASURE_GROUPS, MEASURES
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError, UsageError

INC = """---
# Neural collapse config file. All must be specified
Model:
  model-name: convNet_deep     # Name of model
  embedding_layers: [
    conv, fc,
    # relu
  ]

Data:
  dataset-id: cifar10
  batch-size: 128
  do-augmentation: False

Optimizer:
  loss: mseloss
  weight-decay: 5.e-4
  lr: 0.067
  lr-decay: 0.2
  lr-decay-steps: 3
  momentum: 0.9
  epochs: 300
  warmup_epochs: 1

Logging:
  save-dir: logs/default
  # log-interval: 10
  log-epochs: [0, 1, 300]  # Overrides log-interval

Measurements:
  measures: Fast
...
"""


def tree(**changes):
    """A smallest valid config with ``changes`` as Section={key: value}."""
    smallest = {
        "Model": {"model-name": "mlp"},
        "Data": {"dataset-id": "digits"},
        "Optimizer": {"lr": 0.1, "epochs": 20},
        "Logging": {"save-dir": "logs/x"},
    }
    for section, keys in changes.items():
        smallest[section] = {**smallest.get(section, {}), **keys}
    return smallest


def messages(source):
    with pytest.raises(ConfigError) as caught:
        parse_config(source)
    return [problem.message for problem in caught.value.problems]


def test_a_config_of_the_older_experiments_loads_unchanged():
    config = parse_config(document_from_text(INC, "inc.yaml"))
    assert config.model.model_name == "convnet_deep"
    assert config.model.embedding_layers == ("conv", "fc")
    assert config.data.batch_size == 128
    assert not config.data.do_augmentation
    assert config.optimizer.weight_decay == 5e-4
    assert config.optimizer.warmup_epochs == 1.0
    assert config.measurements.selected == MEASURE_GROUPS["Fast"]
    assert config.checkpoint_epochs == (0, 1, 300)


def test_five_mistakes_are_one_error_with_five_lines(tmp_path):
    path = tmp_path / "bad.yaml"
    text = INC.replace("dataset-id: cifar10", "dataset-id: cifar11").replace(
        "batch-size: 128", "batch-size: abc"
    )
    text = text.replace("loss: mseloss", "loss: mse").replace("epochs: 300", "epoch: 300")
    path.write_text(text.replace("momentum: 0.9", "momentum: 1.5"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert str(caught.value).splitlines() == [
        "5 problems in the config:",
        f"  {path}:11: dataset-id: 'cifar11' is not a known data set; did you mean 'cifar10'?",
        f"  {path}:12: batch-size must be a whole number of at least 1, not 'abc'",
        f"  {path}:16: loss must be mseloss, celoss, focal, logit-adjustment or balanced-softmax, not 'mse'; "
        "did you mean 'mseloss'?",
        f"  {path}:21: momentum must be a number from 0 to below 1, not 1.5",
        f"  {path}:22: unknown key 'epoch' in Optimizer; did you mean 'epochs'?",
    ]


def test_a_key_given_twice_is_told_together_with_wrong_values():
    text = INC.replace("lr: 0.067", "lr: -1\n  weight_decay: 0")
    assert messages(document_from_text(text, "f")) == [
        "lr must be a number above 0, not -1",
        "'weight_decay' is given twice; the first is in line 17",
    ]


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_section_that_is_present_but_empty_lacks_its_keys(nothing):
    assert messages({**tree(), "Optimizer": nothing}) == [
        "Optimizer lacks epochs",
        "Optimizer lacks lr",
    ]


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("Model", "model-name", 3, "model-name must be text (a number in quotes), not 3"),
        ("Model", "embedding-layers", False, "True (every layer) or a list of layer names"),
        ("Model", "embedding-layers", 1, "True (every layer) or a list of layer names"),
        ("Model", "embedding-layers", [], "True (every layer) or a list of layer names"),
        ("Model", "embedding-layers", ["fc", 1.1], "(numbers in quotes); item 2 is 1.1"),
        ("Model", "embedding-layers", ["fc", None], "item 2 is None"),
        ("Model", "tap", "inputs", "tap must be input or output, not 'inputs'; did you mean 'input'?"),
        (
            "Model",
            "reduce",
            "project:0",
            "reduce must be flatten, mean, cls, mean_token or project:N (N dimensions), not 'project:0'",
        ),
        ("Model", "weights", "", "weights: '' is not a path (empty, or with control characters)"),
        ("Model", "classifier-bias", 1, "classifier-bias must be True or False, not 1"),
        ("Model", "layers", 1, "unknown key 'layers' in Model; did you mean 'embedding-layers'?"),
        ("Data", "batch-size", 0, "batch-size must be a whole number of at least 1, not 0"),
        ("Data", "batch-size", 128.0, "batch-size must be a whole number of at least 1, not 128.0"),
        ("Data", "batch-size", True, "batch-size must be a whole number of at least 1, not True"),
        ("Data", "do-augmentation", "yes", "do-augmentation must be True or False, not 'yes'"),
        ("Data", "random-labels", 1.01, "random-labels must be a number from 0 to 1, not 1.01"),
        ("Data", "pad", -1, "pad must be a whole number of at least 0, not -1"),
        ("Data", "root", "a\x00b", "is not a path"),
        (
            "Data",
            "image-size",
            32,
            "image-size means nothing for digits; it is for tinyimagenet, imagenet, imagenet_lt, imagefo",
        ),
        ("Data", "train-dir", "x", "train-dir means nothing for digits; it is for imagefolder"),
        ("Optimizer", "lr", float("nan"), "lr must be a number above 0, not nan"),
        ("Optimizer", "lr", float("inf"), "lr must be a number above 0, not inf"),
        ("Optimizer", "lr", "0,1", "lr must be a number above 0, not '0,1'"),
        ("Optimizer", "lr", True, "lr must be a number above 0, not True"),
        ("Optimizer", "lr", None, "lr is not set"),
        ("Optimizer", "epochs", 0, "epochs must be a whole number of at least 1, not 0"),
        ("Optimizer", "betas", [0.9], "betas must be a list of two numbers from 0 to below 1"),
        ("Optimizer", "betas", [0.9, 1], "item 2 is 1"),
        (
            "Optimizer",
            "lr-decay-steps",
            0,
            "lr-decay-steps must be a whole number of at least 1, or a list of such",
        ),
        (
            "Optimizer",
            "lr-decay-steps",
            [2, 2],
            "lr-decay-steps must increase from epoch to epoch, unlike [2, 2]",
        ),
        (
            "Optimizer",
            "lr-decay-steps",
            [2, 20],
            "must lie before the end of training (epochs: 20), unlike [20]",
        ),
        ("Optimizer", "warmup-epochs", 21, "warmup-epochs (21) must not exceed epochs (20)"),
        ("Optimizer", "clip-grad-norm", 0, "clip-grad-norm must be a number above 0, not 0"),
        ("Optimizer", "autocast", "fp16", "autocast must be none or bf16, not 'fp16'; did you mean 'bf16'?"),
        ("Logging", "save-dir", 2024, "save-dir must be a path (a number in quotes), not 2024"),
        ("Logging", "log-epochs", 5, "log-epochs must be a list of whole numbers of at least 0, not 5"),
        (
            "Logging",
            "log-epochs",
            [1, -1],
            "log-epochs must be a list of whole numbers of at least 0; item 2 is -1",
        ),
        ("Logging", "log-interval", 0, "log-interval must be a whole number of at least 1, not 0"),
        ("Logging", "trackers", ["wandbb"], "item 1 is 'wandbb'; did you mean 'wandb'?"),
        ("Logging", "figures", "everything", "figures must be auto, overview or all, not 'everything'"),
        ("Measurements", "measures", False, "measures must be True (all), a name, groups joined by _"),
        ("Measurements", "measures", [], "measures must be True (all), a name, groups joined by _"),
        ("Measurements", "measures", ["CDNV", 3], "item 2 is 3"),
        (
            "Measurements",
            "measures",
            "Tracs",
            "'Tracs' is not a known measure or group; did you mean 'Traces'?",
        ),
        ("Measurements", "splits", [], "splits must be a list of train, validation or test, not []"),
        (
            "Measurements",
            "memory",
            "4 potatoes",
            "memory: '4 potatoes' is not a size such as 4GB, 512MB, 1.5GiB",
        ),
        ("Measurements", "memory", 0, "memory: 0 leaves no memory at all"),
        ("Run", "run", -1, "run must be a whole number of at least 0, not -1"),
        ("Run", "seed", "x", "seed must be a whole number of at least 0, not 'x'"),
    ],
)
def test_a_wrong_value_is_told_in_one_plain_sentence(section, key, value, message):
    found = messages(tree(**{section: {key: value}}))
    assert len(found) == 1
    assert message in found[0]


def test_the_items_of_a_list_have_their_own_lines():
    text = INC.replace("log-epochs: [0, 1, 300]", "log-epochs:\n    - 0\n    - x\n")
    with pytest.raises(ConfigError) as caught:
        parse_config(document_from_text(text, "f"))
    assert [(problem.line, "item 2 is 'x'" in problem.message) for problem in caught.value.problems] == [
        (30, True)
    ]


def test_several_wrong_items_are_one_problem():
    assert len(messages(tree(Logging={"log-epochs": ["a", "b", "c"]}))) == 1


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop"])
def test_nesterov_needs_sgd_with_momentum(optimizer):
    assert messages(tree(Optimizer={"nesterov": True, "momentum": 0})) == [
        "nesterov needs a momentum above 0"
    ]
    wrong = tree(Optimizer={"nesterov": True, "optimizer": optimizer})
    assert messages(wrong) == [f"nesterov is only defined for sgd, not {optimizer}"]
    assert parse_config(tree(Optimizer={"nesterov": True})).optimizer.nesterov


@pytest.mark.parametrize(
    ("places", "complaint"),
    [
        ({}, "dataset-id is not enough: imagefolder needs either root"),
        ({"train-dir": "a"}, "test-dir is not enough"),
        ({"test-dir": "a"}, "train-dir is not enough"),
        ({"root": "a", "test-dir": "b"}, "root is set together with train-dir or test-dir"),
        ({"root": "a"}, None),
        ({"train-dir": "a", "test-dir": "b", "image-size": 64}, None),
    ],
)
def test_an_imagefolder_needs_its_places(places, complaint):
    config = tree(Data={"dataset-id": "imagefolder", **places})
    if complaint:
        assert messages(config)[0].startswith(complaint)
    else:
        assert parse_config(config).data.dataset_id == "imagefolder"


def test_arrays_need_a_root():
    assert messages(tree(Data={"dataset-id": "arrays"}))[0].startswith(
        "root is not set, but dataset-id: arrays"
    )
    assert parse_config(tree(Data={"dataset-id": "arrays", "root": "x.npz"})).data.root.name == "x.npz"


def test_missing_sections_and_keys_are_named():
    assert messages({"Data": {}}) == [
        "Data lacks dataset-id",
        "the section Logging is missing",
        "the section Model is missing",
        "the section Optimizer is missing",
    ]


def test_a_misspelt_section_is_one_problem():
    config = tree()
    config["model"] = config.pop("Model")
    assert messages(config) == ["unknown section 'model'; did you mean 'Model'?"]


@pytest.mark.parametrize("content", ["Fast", [1], 3])
def test_a_section_that_holds_no_keys_is_told(content):
    assert messages({**tree(), "Measurements": content}) == [
        f"Measurements must hold keys with values ('key: value'), not {content!r}"
    ]


def test_a_repeated_key_of_a_plain_tree_is_told():
    assert messages(tree(Data={"batch-size": 1, "batch_size": 2})) == ["Data.batch-size is given twice"]


def test_not_set_means_the_default_in_every_section():
    defaults = parse_config(tree())
    nothing = {key: None for key in ("tap", "weights", "embedding_layers")}
    config = parse_config(
        {**tree(Model=nothing, Optimizer={"autocast": None}), "Measurements": None, "Run": {}}
    )
    assert config == defaults
    assert config.model.embedding_layers is True
    assert config.measurements.selected == MEASURE_GROUPS["Fast"]


def test_layers_may_be_one_name_or_numbers_and_are_listed_once():
    def layers(given):
        return parse_config(tree(Model={"embedding-layers": given})).model.embedding_layers

    assert layers("fc") == ("fc",)
    assert layers(["features.3", "avgpool", "avgpool", "^fc"]) == ("features.3", "avgpool", "^fc")
    assert layers([0, "2"]) == ("0", "2")


def test_words_ignore_case():
    config = parse_config(
        tree(Optimizer={"loss": "MSELoss", "optimizer": "AdamW"}, Model={"reduce": "Project:8"})
    )
    assert (config.optimizer.loss, config.optimizer.optimizer) == ("mseloss", "adamw")
    assert config.model.reduce == "project:8"


def test_measures_may_be_true_a_name_groups_or_a_list():
    def selected(given):
        return parse_config(tree(Measurements={"measures": given})).measurements.selected

    assert selected(True) == MEASURES
    assert selected("nc1") == ("NC1",)
    assert selected("Fast_StableRank") == (*MEASURE_GROUPS["Fast"], "ActivationStableRank")
    assert selected(["CDNVMeasure", "TraceMeasure", "AccuracyMeasure"]) == ("Accuracy", "Traces", "CDNV")


@pytest.mark.parametrize(
    ("size", "count"),
    [
        ("4GB", 4 * 10**9),
        ("512 mb", 512 * 10**6),
        ("1.5GiB", 3 * 2**29),
        ("8KiB", 8192),
        ("100B", 100),
        (7, 7),
    ],
)
def test_memory_is_a_size_or_a_number_of_bytes(size, count):
    assert parse_config(tree(Measurements={"memory": size})).measurements.memory_bytes == count


def test_a_home_folder_is_spelt_out(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert str(parse_config(tree(Data={"root": "~/data"})).data.root) == "/home/me/data"


def test_epochs_beyond_training_and_empty_groups_are_warned_of_once(caplog, monkeypatch):
    monkeypatch.setitem(MEASURE_GROUPS, "Slow", ())
    config = tree(Logging={"log-epochs": [0, 20, 21, 99]}, Measurements={"measures": "Slow"})
    with caplog.at_level(logging.WARNING):
        parse_config(config, source="once.yaml")
        parse_config(config, source="once.yaml")
    assert [record.message for record in caplog.records] == [
        "once.yaml: log-epochs 21, 99 lie beyond the end of training (epochs: 20) and are left out",
        "once.yaml: no measure of group Slow exists in this version",
    ]


def test_a_matrix_file_asks_for_the_flag(tmp_path):
    path = tmp_path / "m.yaml"
    path.write_text(INC.replace("...", "Matrix: {Optimizer: {lr: [1, 2]}}"), encoding="utf-8")
    with pytest.raises(UsageError, match=r"m\.yaml has a section Matrix.*add -m \(--matrix\)"):
        load_config(path)
    with pytest.raises(UsageError, match="reads a single one"):
        load_config(path, matrix=True)
    assert messages(read_document(path))[0].startswith("the section Matrix describes many configs")


def test_the_flag_for_a_matrix_is_harmless_without_one(tmp_path):
    path = tmp_path / "single.yaml"
    path.write_text(INC, encoding="utf-8")
    assert load_config(path, matrix=True) == load_config(path)


def test_a_cell_of_a_matrix_is_checked_with_the_marks_of_its_file():
    document = document_from_text(INC + "", "m.yaml")
    cell = {**document.data, "Optimizer": {**document.data["Optimizer"], "lr": "fast"}}
    marks = {**document.marks, ("Optimizer", "lr"): document.marks[("Logging", "save-dir")]}
    with pytest.raises(ConfigError, match=r"m\.yaml:26: lr must be a number above 0, not 'fast'"):
        parse_config(type(document)("m.yaml", cell, marks))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 400) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
KEYS = [(section, key) for section, keys in parse_config(tree()).resolved().items() for key in keys]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KEYS), PLAIN)
@example(("Data", "imbalance"), {})
def test_any_value_under_any_key_is_a_config_or_a_plain_error(place, value):
    section, key = place
    try:
        config = parse_config(tree(**{section: {key: value}}))
    except ConfigError as error:
        assert all("Input should" not in problem.message for problem in error.problems)
        assert any(key in problem.message for problem in error.problems)
    else:
        assert parse_config(config.resolved()) == config
