"""None means "not set": it stands for a default, and hides no mistake."""

from __future__ import annotations

import pytest

from layerscope.config import load_config, load_matrix
from layerscope.errors import ConfigError

BASE = """\
Model: {{model-name: mlp{model}}}
Data: {{dataset-id: digits{data}}}
Optimizer: {{lr: 0.1, epochs: 20}}
Logging: {{save-dir: logs/x}}
"""


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(rest="", model="", data=""):
        (tmp_path / "c.yaml").write_text(BASE.format(model=model, data=data) + rest, encoding="utf-8")
        return "c.yaml"

    return write


def told(load, *arguments):
    with pytest.raises(ConfigError) as caught:
        load(*arguments)
    return [str(problem) for problem in caught.value.problems]


def test_an_unknown_key_without_a_value_is_unknown_all_the_same(path):
    file = path(data=", batchsize: None, pad: None")
    expected = ["c.yaml:2: unknown key 'batchsize' in Data; did you mean 'batch-size'?"]
    assert told(load_config, file) == expected


def test_so_it_is_by_hand(path):
    expected = ["--set Data.batchsize: unknown key 'batchsize' in Data; did you mean 'batch-size'?"]
    assert told(load_config, path(), ["Data.batchsize=None"]) == expected
    assert told(load_config, path(), ["Data.batchsize="]) == expected


def test_so_it_is_in_the_base_of_a_matrix_and_in_the_matrix(path):
    file = path("Matrix: {Optimizer: {momentums: [None]}}\n", data=", batchsize: None")
    assert told(load_matrix, file) == [
        "c.yaml:2: unknown key 'batchsize' in Data; did you mean 'batch-size'?",
        "c.yaml:5: unknown key 'momentums' in Optimizer; did you mean 'momentum'?",
    ]


def test_a_base_may_leave_the_layers_to_its_matrix_with_an_empty_list(path):
    file = path(
        """\
Matrix:
  _Exclusive:
    a: {Model: {embedding-layers: [[fc]]}}
    b: {Model: {embedding-layers: [True]}}
""",
        model=", embedding-layers: []",
    )
    found = [cell.config.model.embedding_layers for cell in load_matrix(file)]
    assert found == [("fc",), True]


def test_an_empty_list_that_reaches_a_run_is_a_mistake(path):
    file = path("Matrix: {Run: {run: [0, 1]}}\n", model=", embedding-layers: []")
    wrong = "c.yaml:1: embedding-layers must be True (every layer) or a list of layer names"
    assert [problem.startswith(wrong) for problem in told(load_matrix, file)] == [True]


def test_an_empty_list_is_not_blamed_for_a_mistake_elsewhere(path):
    file = path("Matrix: {Modell: {embedding-layers: [[fc]]}}\n", model=", embedding-layers: []")
    assert told(load_matrix, file) == ["c.yaml:5: unknown section 'Modell'; did you mean 'Model'?"]
