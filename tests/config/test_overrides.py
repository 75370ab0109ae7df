"""Single values from the command line in place of those of the file."""

from __future__ import annotations

import pytest

from layerscope.config import load_config
from layerscope.errors import ConfigError

TEXT = """
Model: {model-name: mlp}
Data: {dataset-id: digits, batch-size: 8}
Optimizer: {lr: None, epochs: 20}
Logging: {save-dir: logs/x, log-epochs: [0]}
"""


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def problems(path, *assignments):
    with pytest.raises(ConfigError) as caught:
        load_config(path, assignments)
    return [str(problem) for problem in caught.value.problems]


def test_values_are_read_as_yaml_and_win_over_the_file(path):
    config = load_config(
        path,
        [
            "Optimizer.lr=5.e-4",
            "Data.batch_size=16",
            "Logging.log-epochs=[1, 2]",
            "Run.seed=3",
            "Model.tap=output",
        ],
    )
    assert config.optimizer.lr == 5e-4
    assert config.data.batch_size == 16
    assert config.logging.log_epochs == (1, 2)
    assert config.run.seed == 3
    assert config.model.tap == "output"


def test_none_and_nothing_unset_a_value(path):
    config = load_config(path, ["Optimizer.lr=1", "Data.batch-size=None", "Logging.log-epochs="])
    assert config.data.batch_size == 128
    assert config.logging.log_epochs is None


def test_a_value_may_hold_an_equals_sign(path):
    assert load_config(path, ["Optimizer.lr=1", "Logging.save-dir=a=b"]).logging.save_dir.name == "a=b"


@pytest.mark.parametrize(
    ("assignment", "problem"),
    [
        ("Optimizer.lr=abc", "--set Optimizer.lr: lr must be a number above 0, not 'abc'"),
        ("Optimizer.lr=None", "--set Optimizer.lr: lr is not set"),
        (
            "Optimizer.learning_rate=1",
            "--set Optimizer.learning-rate: unknown key 'learning-rate' in Optimizer; known are: objective, ",
        ),
        ("Optimiser.lr=1", "--set Optimiser.lr: unknown section 'Optimiser'; did you mean 'Optimizer'?"),
        ("Matrix.lr=1", "--set Matrix.lr: unknown section 'Matrix'"),
        ("Optimizer.lr", "--set Optimizer.lr: 'Optimizer.lr' is not of the form Section.key=value"),
        ("lr=1", "--set lr: 'lr=1' is not of the form Section.key=value"),
        ("Logging.log-epochs=[1, x]", "--set Logging.log-epochs: log-epochs must be a list of whole numbers"),
        ("Logging.log-epochs=[1", "--set Logging.log-epochs:1: not valid YAML"),
        ("Model.tap=!x y", "--set Model.tap: the tag '!x' has no meaning here"),
    ],
)
def test_a_mistake_is_located_at_the_flag(path, assignment, problem):
    assert any(found.startswith(problem) for found in problems(path, assignment))


def test_a_value_given_twice_is_a_mistake(path):
    found = problems(path, "Optimizer.lr=1", "Optimizer.lr=2")
    assert found == ["--set Optimizer.lr: given twice"]


def test_mistakes_of_file_and_flags_come_together(path):
    path.write_text(TEXT.replace("digits", "digit"), encoding="utf-8")
    assert problems(path, "Optimizer.lr=0") == [
        "--set Optimizer.lr: lr must be a number above 0, not 0",
        f"{path}:3: dataset-id: 'digit' is not a known data set; did you mean 'digits'?",
    ]
