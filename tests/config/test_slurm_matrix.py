"""A matrix over what is asked of the cluster: other resources, the same runs."""

from __future__ import annotations

import pytest

from layerscope.config import load_matrix
from layerscope.errors import ConfigError

BASE = """\
Model: {model-name: mlp}
Data: {dataset-id: digits}
Optimizer: {lr: 0.1, epochs: 20}
Logging: {save-dir: logs/x}
"""
GB = 2**30


@pytest.fixture
def cells(tmp_path, monkeypatch):
    def expand(text, overrides=()):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "m.yaml").write_text(BASE + text, encoding="utf-8")
        return load_matrix("m.yaml", overrides)

    return expand


def mem(cell, stage="train"):
    return cell.config.slurm.for_stage(stage).mem_bytes // GB


def test_a_bigger_model_gets_more_memory(cells):
    found = cells("""\
Slurm: {mem: 4GB, gpus: 1}
Matrix:
  _Exclusive:
    small: {Model: {model-name: [mlp_small]}}
    large: {Model: {model-name: [mlp_large]}, Slurm: {mem: [32GB], train: {timeout: [8h]}}}
  Run: {run: [0, 1]}
""")
    assert [cell.name for cell in found] == ["small/run_0", "small/run_1", "large/run_0", "large/run_1"]
    assert [mem(cell) for cell in found] == [4, 4, 32, 32]
    assert [cell.config.slurm.for_stage("train").timeout_min for cell in found] == [240, 240, 480, 480]
    assert found[2].config.slurm.for_stage("train").gpus_per_run == 1


def test_resources_are_in_no_name_and_on_no_axis(cells):
    found = cells("""\
Matrix:
  _Zip:
    Model: {model-name: [mlp_small, mlp_large]}
    Slurm: {mem: [4GB, 32GB], measure: {mem: [2GB, 16GB]}, extra: {nodelist: [a, b]}}
""")
    assert [cell.name for cell in found] == ["mlp_small", "mlp_large"]
    assert [dict(cell.axes) for cell in found] == [
        {"Model.model-name": "mlp_small"},
        {"Model.model-name": "mlp_large"},
    ]
    assert [(mem(cell), mem(cell, "measure")) for cell in found] == [(4, 2), (32, 16)]
    assert [cell.config.slurm.for_stage("plot").extra for cell in found] == [
        (("nodelist", "a"),),
        (("nodelist", "b"),),
    ]


def test_runs_that_differ_in_resources_alone_are_one_with_the_first_ones(cells, caplog):
    found = cells("Matrix: {Optimizer: {lr: [0.1, 0.2]}, Slurm: {mem: [4GB, 8GB]}}\n")
    assert [(cell.name, mem(cell)) for cell in found] == [("lr_0.1", 4), ("lr_0.2", 4)]
    assert [record.getMessage() for record in caplog.records] == [
        "m.yaml: 2 of 4 runs are the same as another and left out: lr_0.1 (given twice; the first one's "
        "Slurm keys hold); lr_0.2 (given twice; the first one's Slurm keys hold)"
    ]


def test_a_matrix_over_resources_alone_is_one_run_which_the_warning_can_name(cells, caplog):
    assert [cell.name for cell in cells("Matrix: {Slurm: {mem: [4GB, 8GB]}}\n")] == [""]
    assert "left out: the only run (given twice;" in caplog.text


def test_the_same_run_under_another_name_is_left_out_too(cells, caplog):
    found = cells("""\
Matrix:
  _Exclusive:
    a: {Optimizer: {lr: [0.1]}}
    b: {Optimizer: {lr: [0.1]}, Slurm: {gpus: [0]}}
""")
    assert [cell.name for cell in found] == ["a"]
    assert "b (as a; the first one's Slurm keys hold)" in caplog.text


def test_by_hand_wins_over_the_matrix(cells):
    found = cells("Matrix: {Slurm: {mem: [4GB], train: {mem: [8GB], cpus: [1]}}}\n", ["Slurm.train.mem=16GB"])
    assert [(mem(found[0]), mem(found[0], "measure"))] == [(16, 4)]
    whole = cells("Matrix: {Slurm: {train: {mem: [8GB], cpus: [1]}}}\n", ["Slurm.train={mem: 2GB}"])
    assert mem(whole[0]) == 2


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        (
            "{Slurm: {train: [{cpus: 1}]}}",
            "train must hold keys with lists of alternatives, not [{'cpus': 1}]",
        ),
        ("{Slurm: {train: {cpus: 1}}}", "cpus must be a list of alternatives ([1]), not 1"),
        ("{Slurm: {train: {cpu: [None]}}}", "unknown key 'cpu' in Slurm.train; did you mean 'cpus'?"),
        ("{Slurm: {men: [None]}}", "unknown key 'men' in Slurm; did you mean 'mem'?"),
        ("{Slurm: {mem: [4GB, 8XB]}}", "mem: '8XB' is not a size such as 16GB, 16G or 500MB"),
        (
            "{Slurm: {gpus: [1], gpus_per_run: [2]}}",
            "'gpus_per_run' means the same as 'gpus' in line 5; give one of them",
        ),
        (
            "{Slurm: {mem: [4GB]}, _Exclude: [{Slurm: {mem: 4GB}}]}",
            "a rule of _Exclude drops runs by what they are; Slurm makes no run another one",
        ),
        (
            "{Slurm: {mem: [4GB], train: {cpus: [1], _Exclude: [{cpus: 1}]}}}",
            "a rule of _Exclude drops runs by what they are; Slurm makes no run another one",
        ),
    ],
)
def test_mistakes_are_told_with_their_line(cells, matrix, problem):
    with pytest.raises(ConfigError) as caught:
        cells(f"Matrix: {matrix}\n")
    assert [str(found) for found in caught.value.problems] == [f"m.yaml:5: {problem}"]


def test_submatrices_may_be_called_as_keys_are(cells):
    found = cells("""\
Matrix:
  Slurm:
    _Exclusive:
      extra: {gpus: [2]}
      gpus: {gpus: [0]}
  Run: {run: [0]}
""")
    assert [cell.name for cell in found] == ["extra"]
    assert found[0].config.slurm.for_stage("train").gpus_per_run == 2
