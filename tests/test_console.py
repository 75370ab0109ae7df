"""What a person sees when the work is done."""

from __future__ import annotations

import pytest

from layerscope.config import dump_yaml
from layerscope.console import Console
from layerscope.experiment import Experiment


@pytest.fixture
def experiment(tmp_path):
    def of(runs: int) -> Experiment:
        tree = {
            "Model": {"model-name": "mlp_single"},
            "Data": {"dataset-id": "digits"},
            "Optimizer": {"lr": 0.1, "epochs": 1},
            "Logging": {"save-dir": str(tmp_path / "runs")},
            "Matrix": {"Run": {"run": list(range(runs))}},
        }
        path = tmp_path / "matrix.yaml"
        path.write_text(dump_yaml(tree), encoding="utf-8")
        return Experiment.from_yaml(path, matrix=True)

    return of


def test_few_runs_are_told_one_by_one(experiment, capsys):
    Console(quiet=False).summary(experiment(3))
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[1:]] == ["run_0", "run_1", "run_2"]


def test_of_many_runs_only_the_sums_are_told(experiment, capsys, tmp_path):
    many = experiment(30)
    (many.runs[7].plots_path).mkdir(parents=True)
    (many.runs[7].plots_path / "NC1.pdf").touch()
    Console(quiet=False).summary(many)
    (_, told) = capsys.readouterr().out.splitlines()
    assert told == (
        f"30 runs in {tmp_path}/runs: 0 checkpoints, 0 tables and 1 figure(s); --status lists them."
    )


def test_nothing_is_said_when_it_shall_be_quiet(experiment, capsys):
    Console(quiet=True).summary(experiment(30))
    assert capsys.readouterr().out == ""
