"""Jobs that are preempted, requeued or killed halfway go on, and come to the results of a quiet run."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from matrix_on_slurm import BASE, MatrixOnSlurm, results
from PIL import Image

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]


def task_of(matrix, run):
    """The process that Slurm started for a run, and which has started all the others."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in matrix.processes(run)}
    return min(pid for pid, command in commands.items() if b"launch.job" in command)


def went_on(matrix, run):
    """Whether the training was started again and did not start over."""
    status = matrix.status(run, "train")
    return status["attempt"] == 2 and status["progress"] >= 1


def test_runs_that_a_higher_partition_preempts_go_on_when_it_is_through(launched, same_as_serial, cluster):
    matrix = launched(lrs=(0.05, 0.1))
    matrix.linger(2)
    matrix.submit()
    matrix.wait_for_epoch(2)
    all_of_it = f"--cpus-per-task={cluster.settings.cpus}"
    cluster.run("sbatch", "--partition=high", all_of_it, "--output=/dev/null", "--wrap", "sleep 1")
    matrix.wait(
        lambda: all(matrix.status(run, "train")["attempt"] == 2 for run in matrix.cells), "second attempts"
    )
    matrix.pace(0)
    matrix.finish()
    assert all(went_on(matrix, run) for run in matrix.cells)
    same_as_serial(matrix)


def test_a_requeued_run_whose_data_loader_has_workers_goes_on(launched, tmp_path, cluster):
    axes = {"Optimizer": {"lr": [0.05]}}
    base = {"Data": {**picture_folders(tmp_path / "pictures"), "batch-size": 32, "num-workers": 2}}
    matrix = launched(base=base)
    matrix.linger(2)
    matrix.submit()
    serial = MatrixOnSlurm(tmp_path / "serial", None, axes, base={**BASE, **base}).run_here()
    [run] = matrix.cells
    matrix.wait_for_epoch(2)
    cluster.run("scontrol", "requeue", matrix.job(run))
    matrix.wait(lambda: matrix.status(run, "train")["attempt"] == 2, "the second attempt")
    matrix.pace(0)
    matrix.finish()
    assert went_on(matrix, run)
    assert results(matrix.folder(run)) == next(iter(serial.values()))
    matrix.wait(lambda: not matrix.processes(run), "every process of the job to be gone", 30)


def picture_folders(place):
    """Three classes of tiny pictures, each brighter than the one before."""
    generator = np.random.default_rng(0)
    for split, count in (("train", 40), ("test", 10)):
        for label in range(3):
            folder = place / split / f"class{label}"
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = generator.integers(60 * label, 60 * label + 100, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return {"dataset-id": "imagefolder", "root": str(place), "image-size": 8}


def test_killed_processes_are_told_from_each_other_and_started_again_on_demand(launched, same_as_serial):
    matrix = launched(lrs=(0.05, 0.1))
    matrix.linger(2)
    matrix.submit()
    matrix.wait_for_epoch(2)
    worker, task = matrix.cells
    os.kill(matrix.status(worker, "train")["pid"], signal.SIGKILL)
    os.kill(task_of(matrix, task), signal.SIGKILL)
    matrix.wait_for_end()
    assert "killed by signal 9" in matrix.status(worker, "train")["reason"]
    assert {run: state for run, (state, _) in matrix.verdicts("train").items()} == {
        worker: "failed",
        task: "lost",
    }
    assert {state for state, _ in matrix.verdicts("measure").values()} == {"blocked"}
    matrix.pace(0)
    matrix.retry()
    matrix.finish()
    assert all(went_on(matrix, run) for run in matrix.cells)
    same_as_serial(matrix)
