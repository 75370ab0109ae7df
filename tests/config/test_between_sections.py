import re

import pytest

from layerscope.config import parse_config
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError

TEXT = """\
Model: {model-name: mlp}
Data: {dataset-id: digits}
Optimizer: {lr: 0.1, epochs: 20}
Logging:
  save-dir: logs/x
  keep-best: True
Measurements:
  splits: [train, validation]
"""


def test_what_needs_a_validation_split_is_refused_without_one_line_by_line():
    with pytest.raises(ConfigError) as error:
        parse_config(document_from_text(TEXT, "f.yaml"))
    best, splits = error.value.problems
    assert (best.line, splits.line) == (6, 8)
    assert "Logging.keep-best needs a validation split, as nothing is chosen on test data" in str(best)
    assert "Measurements.splits has validation, but there is no such split" in str(splits)


def test_with_a_validation_split_both_are_fine():
    config = parse_config(document_from_text(TEXT.replace("digits", "digits, validation: 0.1"), "f.yaml"))
    assert config.logging.keep_best


def tree(**sections):
    base = {
        "Model": {"model-name": "mlp"},
        "Data": {"dataset-id": "digits"},
        "Optimizer": {"lr": 0.1, "epochs": 20},
        "Logging": {"save-dir": "x"},
    }
    return {name: {**base.get(name, {}), **sections.get(name, {})} for name in {**base, **sections}}


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"Data": {"view-area": 0.5}}, "Data.view-area means nothing for objective: supervised"),
        (
            {"Model": {"model-name": "ae"}},
            "set Optimizer.objective to reconstruction; aec is the same encoder",
        ),
        (
            {"Optimizer": {"objective": "contrastive"}, "Slurm": {"gpus-per-run": 2}},
            "set Slurm.gpus-per-run to 1",
        ),
        ({"Optimizer": {"temperature": 0.1}}, "temperature means nothing for objective: supervised"),
        ({"Optimizer": {"objective": "contrastive", "compile": True}}, "compile is not supported"),
        ({"Optimizer": {"objective": "contrastive", "label-smoothing": 0.1}}, "which knows no labels"),
        (
            {"Model": {"model-name": "resnet18_pretrained", "conv-init-std": 0.1}},
            "conv-init-std would be undone by the weights",
        ),
    ],
)
def test_keys_that_would_be_ignored_are_refused(sections, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_config(tree(**sections))
