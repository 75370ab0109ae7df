"""An experiment is an ordered list of runs; one that fails does not stop the others."""

from __future__ import annotations

import pytest
import yaml

from layerscope.errors import TrainingDiverged, UsageError
from layerscope.experiment import Experiment

TREE = {
    "Model": {"model-name": "mlp_single_nobn", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 256},
    "Optimizer": {"lr": 0.05, "epochs": 1},
    "Logging": {"log-epochs": [1], "trackers": []},
    "Measurements": {"measures": ["Accuracy"]},
    "Matrix": {"Optimizer": {"lr": [0.05, 1e30, 0.1]}},
}


@pytest.fixture
def matrix_file(tmp_path):
    tree = {**TREE, "Logging": {**TREE["Logging"], "save-dir": str(tmp_path / "logs")}}
    path = tmp_path / "matrix.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


def test_every_cell_of_a_matrix_is_a_run_in_its_own_folder(matrix_file, tmp_path):
    experiment = Experiment.from_yaml(matrix_file, matrix=True)
    assert [run.name for run in experiment.runs] == ["lr_0.05", "lr_1e+30", "lr_0.1"]
    assert [run.folder for run in experiment.runs] == [
        tmp_path / "logs" / run.name for run in experiment.runs
    ]


def test_a_run_that_diverges_stops_neither_the_others_nor_their_later_stages(matrix_file):
    experiment = Experiment.from_yaml(matrix_file, matrix=True)
    seen = []
    works = {"train": lambda run: run.train(), "measure": lambda run: run.measure()}
    outcomes = experiment.perform(works, watch=seen.append)
    assert outcomes == seen
    assert [(outcome.run.name, outcome.stage) for outcome in outcomes] == [
        *(("lr_0.05", "train"), ("lr_1e+30", "train"), ("lr_0.1", "train")),
        *(("lr_0.05", "measure"), ("lr_0.1", "measure")),
    ]
    (failed,) = [outcome for outcome in outcomes if outcome.error is not None]
    assert isinstance(failed.error, TrainingDiverged)
    assert failed.run.name == "lr_1e+30"


def test_an_error_that_nobody_foresaw_ends_its_run_only_and_leaves_a_traceback(matrix_file):
    def work(run):
        if run.name == "lr_0.05":
            raise RuntimeError("out of shared memory")
        return True

    first, second, third = Experiment.from_yaml(matrix_file, matrix=True).perform({"train": work})
    assert "RuntimeError: out of shared memory (traceback in " in str(first.error)
    assert "test_experiment.py" in (first.run.folder / "train-error.txt").read_text()
    assert (second.error, third.error) == (None, None)


def test_a_file_with_a_matrix_needs_the_flag_that_expands_it(matrix_file):
    with pytest.raises(UsageError, match="-m"):
        Experiment.from_yaml(matrix_file)


def test_jobs_go_to_slurm_and_nowhere_else(matrix_file):
    experiment = Experiment.from_yaml(matrix_file, matrix=True)
    with pytest.raises(UsageError, match=r"cluster='slurm', not 'local'; run_queue\(\)"):
        experiment.submit(cluster="local")


def test_a_file_without_a_matrix_is_its_single_run(matrix_file, tmp_path):
    tree = yaml.safe_load(matrix_file.read_text())
    del tree["Matrix"]
    matrix_file.write_text(yaml.safe_dump(tree))
    for matrix in (True, False):
        (run,) = Experiment.from_yaml(matrix_file, matrix=matrix).runs
        assert (run.name, run.folder) == ("logs", tmp_path / "logs")
