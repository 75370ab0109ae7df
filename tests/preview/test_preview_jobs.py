"""The arrays that a preview shows are those that would be submitted."""

from __future__ import annotations

import pytest

from layerscope.launch.slurm.queue import ClusterLimits
from layerscope.preview.preview import preview
from layerscope.status import StageStatus

SLURM = {"slurm": True}


def in_short(array):
    return array.stage, array.jobs, array.runs, array.dependency


def test_each_stage_is_an_array_that_waits_for_the_one_before(look):
    seen = look(SLURM, Matrix={"Run": {"run": [0, 1, 2]}})
    assert [in_short(array) for array in seen.arrays] == [
        ("train", 3, 3, ""),
        ("measure", 3, 3, "aftercorr:ID_1"),
        ("plot", 3, 3, "afterany:ID_2"),
    ]
    assert [array.after for array in seen.arrays] == ["", "job by job after 1", "after the end of 2"]


def test_the_scripts_are_what_sbatch_would_get(look, here):
    train, measure, _ = look(SLURM, Matrix={"Run": {"run": [0, 1]}}, Slurm={"partition": "gpu"}).arrays
    lines = train.script.splitlines()
    assert lines[0] == "#!/bin/bash"
    assert {"#SBATCH --array=0-1", "#SBATCH --partition=gpu", "#SBATCH --job-name=logs.train"} < set(lines)
    assert f"-m layerscope.launch.job {here}/logs/jobs/TIME-train" in lines[-1]
    assert "#SBATCH --dependency=aftercorr:ID_1" in measure.script.splitlines()


def test_without_slurm_its_usual_limit_is_assumed_and_said(look):
    seen = look(SLURM, Matrix={"Run": {"run": list(range(1100))}})
    assert [array.jobs for array in seen.arrays if array.stage == "train"] == [1001, 99]
    assert any("no Slurm answers here" in note and "1001" in note for note in seen.notes)


def test_the_limit_of_the_cluster_holds_when_it_is_known(look, monkeypatch):
    monkeypatch.setattr("layerscope.preview.jobs.limits", lambda: ClusterLimits(2, known=True))
    seen = look(SLURM, Matrix={"Run": {"run": list(range(5))}})
    assert [array.jobs for array in seen.arrays if array.stage == "train"] == [2, 2, 1]
    assert seen.notes == ()


def test_gpu_hours_are_bounded_by_the_time_limits(look):
    asks = {"timeout": "3h", "gpus-per-run": 2, "measure": {"timeout": 30, "gpus-per-run": 1}}
    seen = look(SLURM, Matrix={"Run": {"run": [0, 1]}}, Slurm=asks)
    assert [array.gpu_hours for array in seen.arrays] == [2 * 2 * 3, 2 * 0.5, 0]
    assert seen.gpu_hours == 13


def test_packed_runs_share_a_job_and_its_gpu(look):
    asks = {"runs-per-job": 4, "timeout": "1h", "mem": "8GB", "gpu-type": "a100", "cpus": 3}
    train = look(SLURM, Matrix={"Run": {"run": list(range(6))}}, Slurm=asks).arrays[0]
    assert (train.jobs, train.runs, train.gpu_hours) == (2, 6, 2.0)
    assert train.asks == "1 a100 GPU, 12 cores, 32 GB, 1:00 h"


def test_memory_below_a_gigabyte_is_shown_in_megabytes(look):
    assert look(SLURM, Slurm={"mem": "10MB"}).arrays[0].asks == "1 GPU, 4 cores, 10 MB, 4:00 h"


def test_only_what_is_left_is_planned(experiment):
    made = experiment(Matrix={"Run": {"run": [0, 1]}})
    made.runs[0].train()
    arrays = preview(made.runs, made.base, slurm=True).arrays
    assert [(array.stage, array.runs) for array in arrays].count(("train", 1)) == 1
    assert sum(array.runs for array in arrays if array.stage == "measure") == 2


def test_what_failed_is_not_planned_and_said(experiment):
    made = experiment(Matrix={"Run": {"run": [0, 1]}})
    made.runs[1].claim_config()
    made.runs[1].status("train").write(StageStatus("failed", "the loss became NaN"))
    seen = preview(made.runs, made.base, slurm=True)
    assert {array.runs for array in seen.arrays} == {1}
    assert ("train would not be submitted: failed: the loss became NaN", ("run_1",)) in [
        (warning.message, warning.runs) for warning in seen.warnings
    ]


@pytest.mark.parametrize(
    ("workers", "words"), [(0, "one run after another on this machine"), (3, "up to 3 runs at once")]
)
def test_without_the_flag_the_runs_are_done_here(look, workers, words):
    seen = look({"workers": workers})
    assert seen.arrays == ()
    assert words in seen.notes[0]


def test_measuring_alone_of_what_is_not_trained_is_said_to_be_left(look):
    seen = look({"slurm": True, "stages": ("measure",)}, Matrix={"Run": {"run": [0, 1]}})
    (warning,) = seen.warnings
    assert warning.message == "measure would not be submitted: waits for train, which is not done"
    assert warning.runs == ("run_0", "run_1")
