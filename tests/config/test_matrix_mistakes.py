"""Mistakes in a matrix: all at once, each once, each with the line it stands in."""

from __future__ import annotations

import pytest

from layerscope.config import load_matrix
from layerscope.errors import ConfigError

BASE = """\
Model: {model-name: mlp}
Data: {dataset-id: digits}
Optimizer: {lr: None, epochs: 20}
Logging: {save-dir: logs/x}
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """The problems of a file, as text."""

    def problems(text, overrides=()):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "m.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_matrix("m.yaml", overrides)
        return [str(problem) for problem in caught.value.problems]

    return problems


def test_all_mistakes_of_all_cells_are_told_at_once_and_once(told):
    text = """\
Model: {model-name: None}
Data: {dataset-id: cifar11, dataset_id: x}
Optimizer:
  lr: None
  epochs: 20
  momentum: 2
Logging: {save-dir: logs/x}
Matrix:
  Model:
    model-name:
      - mlp
      - mlp_hug
    embedding-layers: [[fc], [fc, 1.5]]
  Optimizer:
    weight-decay: 0.1
    lr: [0.1, -1,
         abc]
    nesterov: []
    epoch: [1, 2]
  Run:
    run: [0, 1, 2]
  _Exclusive:
    a:
      Data: {batch-size: [[1, 2]]}
    b: 3
"""
    assert told(text) == [
        "m.yaml:2: 'dataset_id' is given twice; the first is in line 2",
        "m.yaml:2: dataset-id: 'cifar11' is not a known data set; did you mean 'cifar10'?",
        "m.yaml:6: momentum must be a number from 0 to below 1, not 2",
        "m.yaml:12: model-name: 'mlp_hug': 'hug' is unknown to mlp. Did you mean 'huge'? At most one size "
        "(linear, single, small, wide, xwide, large, xlarge, huge) and any flags (nobn, bias, sharedweight) "
        "may follow mlp, joined by '_'.",
        "m.yaml:13: embedding-layers must be True (every layer) or a list of layer names (numbers in "
        "quotes); item 2 is 1.5",
        "m.yaml:15: weight-decay must be a list of alternatives ([0.1]), not 0.1",
        "m.yaml:16: lr must be a number above 0, not -1",
        "m.yaml:17: lr must be a number above 0, not 'abc'",
        "m.yaml:18: nesterov has an empty list of alternatives; give at least one, or leave nesterov out",
        "m.yaml:19: unknown key 'epoch' in Optimizer; did you mean 'epochs'?",
        "m.yaml:24: batch-size must be a whole number of at least 1, not [1, 2]",
        "m.yaml:25: b must hold keys with lists of alternatives, not 3",
    ]


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ("[1]", "Matrix must hold keys with lists of alternatives, not [1]"),
        (
            "{lr: [0.1]}",
            "lr stands outside of a section; write it within one, as in 'Optimizer: {lr: [0.1]}'",
        ),
        ("{Optimizer: [0.1]}", "Optimizer must hold keys with lists of alternatives, not [0.1]"),
        ("{Optimizer: {lr: 0.1}}", "lr must be a list of alternatives ([0.1]), not 0.1"),
        ("{Optimizer: {lr: None}}", "lr must be a list of alternatives ([None]), not None"),
        ("{Optimizer: {lr: {a: [1]}}}", "lr must be a list of alternatives ([…]), not {'a': [1]}"),
        ("{Optimizer: {lr: []}}", "lr has an empty list of alternatives; give at least one, or leave lr out"),
        ("{Optimizer: {lr: [[0.1, 0.2]]}}", "lr must be a number above 0, not [0.1, 0.2]"),
        ("{Optimizer: {lr: [{a: 1}]}}", "lr must be a number above 0, not {'a': 1}"),
        ("{Optimizer: {lr: [None]}}", "lr is not set"),
        ("{Optimizer: {lr: [1], foo: [None]}}", "unknown key 'foo' in Optimizer; known are: "),
        ("{Optimiser: {lr: [1]}}", "unknown section 'Optimiser'; did you mean 'Optimizer'?"),
        (
            "{wide: {Optimizer: {lr: [1]}}}",
            "'wide' is not a section; named submatrices belong below _Exclusive",
        ),
        (
            "{_Exclude: [], Optimizer: {lr: [1]}}",
            "_Exclude must be a list of rules, as [{Optimizer: {lr: 0.1}}]",
        ),
        ("{_Exlusive: {}, Optimizer: {lr: [1]}}", "unknown word '_Exlusive'; did you mean '_Exclusive'?"),
        ("{_Exclusive: {}, Optimizer: {lr: [1]}}", "_Exclusive must hold named submatrices, not {}"),
        ("{_Exclusive: [1], Optimizer: {lr: [1]}}", "_Exclusive must hold named submatrices, not [1]"),
        (
            "{_Exclusive: {_Zip: {Optimizer: {lr: [1]}}}, Optimizer: {lr: [1]}}",
            "a submatrix cannot be called _Zip; _Exclusive holds name: {…}",
        ),
        ("{_Zip: [1], Optimizer: {lr: [1]}}", "_Zip must hold keys with lists of alternatives, not [1]"),
        (
            "{_Zip: {Optimizer: {lr: [1, 2], momentum: [0.1, 0.2, 0.3]}}}",
            "_Zip pairs equal lists: lr has 2 values, momentum 3",
        ),
        (
            "{_Zip: {_Exclusive: {a: {}}}, Optimizer: {lr: [1]}}",
            "_Exclusive has no meaning within _Zip, which holds keys with lists only",
        ),
        ("{_Zip: {lr: [1]}, Optimizer: {lr: [1]}}", "lr stands outside of a section"),
        (
            "{_Zip: {Optimizer: {lr: [1]}}, Optimizer: {lr: [2]}}",
            "lr has alternatives twice; the first are in line 5",
        ),
        (
            "{Optimizer: {lr: [1]}, Logging: {save-dir: [a, b]}}",
            "save-dir cannot vary within a matrix: every run is a folder below the one",
        ),
        (
            "{Optimizer: {lr: [1], nesterov: [True], momentum: [0, 0.5]}, Run: {run: [0, 1]}}",
            "nesterov needs a momentum above 0",
        ),
        (
            "{Optimizer: {lr: [1]}, Run: {run: [0, 1], sed: [1]}}",
            "unknown key 'sed' in Run; did you mean 'seed'?",
        ),
    ],
)
def test_a_mistake_in_the_grammar_is_one_problem_in_its_line(told, matrix, message):
    (problem,) = told(f"{BASE}Matrix: {matrix}\n")
    assert problem.startswith(f"m.yaml:5: {message}")


def test_a_missing_section_is_told_once_for_all_cells(told):
    text = BASE.replace("Logging: {save-dir: logs/x}\n", "")
    assert told(f"{text}Matrix: {{Optimizer: {{lr: [1, 2]}}}}\n") == [
        "m.yaml: the section Logging is missing"
    ]


def test_a_section_that_only_the_matrix_has_is_located_there(told):
    text = BASE.replace("Optimizer: {lr: None, epochs: 20}\n", "")
    assert told(f"{text}Matrix: {{Optimizer: {{lr: [1, 2]}}}}\n") == ["m.yaml:4: Optimizer lacks epochs"]


@pytest.mark.parametrize("place", ["base", "matrix", "override"])
def test_an_unknown_key_is_told_even_when_it_is_not_set(told, place):
    base = BASE.replace("digits}", "digits, rooot: None}") if place == "base" else BASE
    leaf = "rooot: [None], " if place == "matrix" else ""
    text = f"{base}Matrix: {{Optimizer: {{lr: [1, 2]}}, Data: {{{leaf}batch-size: [8]}}}}\n"
    overrides = ["Data.rooot=None"] if place == "override" else []
    assert [
        problem
        for problem in told(text, overrides)
        if "unknown key 'rooot' in Data; did you mean 'root'?" in problem
    ]


def test_a_mistake_in_an_override_is_told_with_those_of_the_matrix(told):
    assert told(f"{BASE}Matrix: {{Optimizer: {{lr: [0]}}}}\n", ["Optimizer.epochs=no"]) == [
        "--set Optimizer.epochs: epochs must be a whole number of at least 1, not 'no'",
        "m.yaml:5: lr must be a number above 0, not 0",
    ]


def test_a_matrix_without_bounds_is_refused_before_it_fills_the_memory(told):
    keys = ", ".join(
        f"{key}: [1, 2, 3, 4, 5, 6, 7, 8, 9]" for key in ("lr", "epochs", "lr-decay", "warmup-epochs")
    )
    text = f"{BASE}Matrix: {{Optimizer: {{{keys}}}, Run: {{run: {list(range(1000))}}}}}\n"
    assert told(text) == ["m.yaml:5: the matrix has 6,561,000 runs, more than the 100,000 that one may have"]
