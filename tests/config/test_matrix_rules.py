"""``_Exclude``: which cells its rules drop, and what a wrong rule is told."""

from __future__ import annotations

import pytest

from layerscope.config import expand_matrix
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError

BASE = """
Model: {model-name: mlp}
Data: {dataset-id: digits}
Optimizer: {lr: 0.1, epochs: 20}
Logging: {save-dir: logs/x}
"""
LR_RUN = "Optimizer: {lr: [0.1, 0.2]}, Run: {run: [0, 1]}"


def names(matrix):
    cells = expand_matrix(document_from_text(f"{BASE}Matrix: {matrix}\n", "m.yaml"))
    return [cell.name for cell in cells]


def refusals(matrix):
    with pytest.raises(ConfigError) as caught:
        names(matrix)
    return [str(problem) for problem in caught.value.problems]


def test_keys_within_keys_vary_and_are_excluded_like_others():
    varied = "Data: {imbalance: {factor: [1, 0.1], profile: [exp, step]}}"
    kept = names(f"{{{varied}, _Exclude: [{{Data: {{imbalance: {{factor: 1.0, profile: STEP}}}}}}]}}")
    assert kept == ["factor_1/profile_exp", "factor_0.1/profile_exp", "factor_0.1/profile_step"]
    cells = expand_matrix(document_from_text(f"{BASE}Matrix: {{{varied}}}\n", "m.yaml"))
    assert dict(cells[3].axes) == {"Data.imbalance.factor": 0.1, "Data.imbalance.profile": "step"}
    wrong = f"{{{varied}, _Exclude: [{{Data: {{imbalance: {{profile: stap}}}}}}]}}"
    assert refusals(wrong) == [
        "m.yaml:6: profile must be exp, step or native, not 'stap'; did you mean 'step'?"
    ]


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("{Optimizer: {lr: 0.1}}", ["lr_0.2/run_0", "lr_0.2/run_1"]),
        ("{Optimizer: {lr: 10e-2}, Run: {run: 1}}", ["lr_0.1/run_0", "lr_0.2/run_0", "lr_0.2/run_1"]),
        ("{Run: {run: 1}}, {Optimizer: {lr: 0.20}}", ["lr_0.1/run_0"]),
        ("{Data: {dataset_id: DIGITS}, Run: {run: 0}}", ["lr_0.1/run_1", "lr_0.2/run_1"]),
        ("{Model: {classifier-bias: None}, Run: {run: 0}}", ["lr_0.1/run_1", "lr_0.2/run_1"]),
        ("{Data: {batch-size: 128}, Run: {run: 0}}", ["lr_0.1/run_1", "lr_0.2/run_1"]),
    ],
)
def test_a_cell_that_has_all_values_of_a_rule_is_dropped(rules, left):
    assert names(f"{{{LR_RUN}, _Exclude: [{rules}]}}") == left


def test_values_are_compared_as_a_config_holds_them():
    matrix = "{Model: {embedding-layers: [fc, conv]}, _Exclude: [{Model: {embedding_layers: [fc]}}]}"
    assert names(matrix) == ["embedding-layers_conv"]
    assert names("{Data: {dataset-id: [STL-10, svhn]}, _Exclude: [{Data: {dataset-id: stl10}}]}") == ["svhn"]


def test_a_rule_holds_where_it_stands():
    matrix = "{_Exclusive: {a: {_Exclude: [{Run: {run: 1}}]}, b: {Data: {pad: [1]}}}, Run: {run: [0, 1]}}"
    assert names(matrix) == ["a/run_0", "b/run_0", "b/run_1"]
    within = "{Optimizer: {lr: [1, 2], momentum: [0.1, 0.2], _Exclude: [{lr: 2, momentum: 0.2}]}}"
    assert names(within) == ["lr_1/momentum_0.1", "lr_1/momentum_0.2", "lr_2/momentum_0.1"]


def test_a_rule_looks_into_zip():
    pairs = "{Optimizer: {lr: [1, 2, 3]}, Run: {run: [0, 1, 1]}}"
    assert names(f"{{_Zip: {pairs}, _Exclude: [{{Run: {{run: 1}}, Optimizer: {{lr: 3}}}}]}}") == [
        "lr_1/run_0",
        "lr_2/run_1",
    ]


def test_a_rule_may_drop_cells_that_no_config_could_be():
    matrix = (
        "{Optimizer: {nesterov: [True, False], momentum: [0, 0.9]}, "
        "_Exclude: [{Optimizer: {nesterov: True, momentum: 0}}]}"
    )
    assert names(matrix) == [
        *("nesterov_True/momentum_0.9", "nesterov_False/momentum_0", "nesterov_False/momentum_0.9")
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "{Optimizer: {lr: 0.3}}",
        "{Optimizer: {lr: 0.1}, Run: {run: 2}}",
        "{Model: {model-name: mlp_wide}}",
        "{Model: {classifier-bias: True}}",
    ],
)
def test_a_rule_that_matches_nothing_is_a_mistake(rule):
    matrix = f"{{{LR_RUN}, _Exclude: [{{Run: {{run: 1}}}},\n {rule}]}}"
    assert refusals(matrix) == ["m.yaml:7: this rule of _Exclude matches no run"]


def test_a_matrix_of_which_nothing_is_left_is_a_mistake():
    assert refusals(f"{{{LR_RUN}, _Exclude: [{{Data: {{dataset-id: digits}}}}]}}") == [
        "m.yaml:6: every run is excluded, so there is none left"
    ]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("3", "a rule of _Exclude must hold keys with values, not 3"),
        ("{}", "a rule of _Exclude must hold keys with values, not {}"),
        ("{Run: 1}", "Run in a rule of _Exclude must hold keys with values, not 1"),
        ("{Rum: {run: 1}}", "unknown section 'Rum'; did you mean 'Run'?"),
        ("{Run: {rum: 1}}", "unknown key 'rum' in Run; did you mean 'run'?"),
        ("{Run: {rum: None}}", "unknown key 'rum' in Run; did you mean 'run'?"),
        ("{Run: {run: [0, 1]}}", "run must be a whole number of at least 0, not [0, 1]"),
        ("{Optimizer: {lr: abc}}", "lr must be a number above 0, not 'abc'"),
        (
            "{Data: {dataset-id: digit}}",
            "dataset-id: 'digit' is not a known data set; did you mean 'digits'?",
        ),
    ],
)
def test_a_wrong_rule_is_told_as_a_wrong_config_is(rule, message):
    assert refusals(f"{{{LR_RUN}, _Exclude: [\n {rule}]}}") == [f"m.yaml:7: {message}"]
