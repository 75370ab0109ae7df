"""Names of cells, which are folders: what they say, and which are refused."""

from __future__ import annotations

import pytest

from layerscope.config import expand_matrix
from layerscope.config.matrix_names import piece
from layerscope.config.yaml_reader import document_from_text
from layerscope.errors import ConfigError

BASE = """
Model: {model-name: mlp}
Data: {dataset-id: digits}
Optimizer: {lr: 0.1, epochs: 20}
Logging: {save-dir: logs/x}
"""


def cells(matrix):
    return expand_matrix(document_from_text(f"{BASE}Matrix: {matrix}\n", "m.yaml"))


def refusals(matrix):
    with pytest.raises(ConfigError) as caught:
        cells(matrix)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("lr", 1e-4, "lr_0.0001"),
        ("lr", 1000, "lr_1000"),
        ("weight-decay", 5e-4, "wd_0.0005"),
        ("weight-decay", 1e-8, "wd_1e-08"),
        ("weight-decay", None, "wd_None"),
        ("dataset-id", "FashionMNIST", "FashionMNIST"),
        ("model-name", "mlp_large_nobn", "mlp_large_nobn"),
        ("model-name", "timm/vit_tiny", "timm-vit_tiny"),
        ("model-name", "my.models:Net", "my.models-Net"),
        ("do-augmentation", True, "do-augmentation_True"),
        ("embedding-layers", ["conv", "^fc"], "embedding-layers_conv+^fc"),
        ("betas", [0.9, 0.999], "betas_0.9+0.999"),
        ("root", "/data/a.npz", "root_-data-a.npz"),
    ],
)
def test_a_value_is_written_as_python_prints_it(key, value, name):
    assert piece(key, value) == name


@pytest.mark.parametrize("value", ["../a", "..", "", "a b", "$(x)", "%A", "x" * 500, list("abc") * 200])
def test_what_a_file_name_cannot_hold_is_replaced_by_a_digest(value):
    name = piece("root", value)
    assert len(name) < 80
    assert not set("/ $%()\n") & set(name)
    assert ".." not in name
    assert piece("root", [*value, "z"]) != name


def test_two_long_lists_that_begin_alike_have_two_names():
    layers = [f"features.{n}" for n in range(30)]
    found = [cell.name for cell in cells(f"{{Model: {{embedding-layers: [{layers}, {layers[:-1]}]}}}}")]
    assert len(set(found)) == 2
    assert all(name.startswith("embedding-layers_features.0+features.1+") for name in found)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("..", "a part of it is empty, '.' or '..'"),
        ("a/../../b", "a part of it is empty, '.' or '..'"),
        ("a//b", "a part of it is empty, '.' or '..'"),
        (".", "a part of it is empty, '.' or '..'"),
        ("", "a part of it is empty, '.' or '..'"),
        ("/tmp/a", "it is an absolute path"),
        ('a\\nb', "it has a control character"),
        ("x" * 201, "it is longer than 200 bytes"),
    ],
)  # fmt: skip
def test_a_submatrix_cannot_lead_out_of_the_folder(name, reason):
    (refusal,) = refusals(f'{{_Exclusive: {{"{name}": {{}}}}}}')
    assert refusal.startswith("m.yaml:6: ")
    assert refusal.endswith(f"cannot be the folder of runs: {reason}")


def test_a_control_character_in_a_value_is_refused():
    (refusal,) = refusals('{Model: {embedding-layers: ["a\\tb", fc]}}')
    assert refusal == r"m.yaml:6: 'a\tb' cannot be part of a run's name: it has a control character"


def test_two_contents_under_one_name_are_shown_both():
    matrix = (
        "{_Exclusive: {lr_0.1: {Run: {run: [5]}}, b: {}}, Data: {root: [data/a-b, data-a/b], pad: [1, 2]}}"
    )
    assert len(cells(matrix)) == 4  # the root is where data lies, not which
    matrix = matrix.replace("root:", "dataset-id: [arrays], root:")
    assert refusals(matrix)[0] == (
        "m.yaml:6: two runs are called 'b/root_data-a-b/pad_1': one with Data.root: 'data/a-b', "
        "one with Data.root: 'data-a/b'; name them apart"
    )


def test_a_run_cannot_lie_where_something_else_is_kept():
    names = ("jobs", "figures", "pairs", "report.html", ".hidden", "jobs_of_mine", "mine/jobs")
    apart = ", ".join(f"{name}: {{Run: {{run: [{number}]}}}}" for number, name in enumerate(names))
    found = refusals(f"{{_Exclusive: {{{apart}}}}}")
    assert sorted(refusal.partition(":6: ")[2].partition(":")[0] for refusal in found) == [
        f"no run can lie in {name!r}" for name in sorted(names[:5])
    ]


def test_a_run_cannot_lie_within_another():
    refusal = refusals("{_Exclusive: {a: {}, a/b: {Run: {run: [1]}}}}")
    assert refusal == ["m.yaml:6: the folder of run 'a' would hold that of run 'a/b'"]
