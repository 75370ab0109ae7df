"""Jobs that are preempted, requeued, timed out or killed go on, and come to the results of a quiet run."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from matrix_on_slurm import BASE, MatrixOnSlurm, results
from PIL import Image

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]

LOST_SECONDS = 35
"""Slurm looks at the clock every half minute, so it may warn half a minute early; and 5 s are to save in."""


def task_of(matrix, run):
    """The process in a job that has started all the others; srun, around it, only waits."""
    [task] = [pid for pid in matrix.processes(run) if is_task(command_of(pid))]
    return task


def is_task(command):
    return command[1:4] == ["-u", "-m", "layerscope.launch.job"]


def command_of(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:  # it has just ended
        return []


def went_on(matrix, run):
    """Whether the training was started again and did not start over."""
    status = matrix.status(run, "train")
    return status["attempt"] == 2 and status["progress"] >= 1


def test_packed_runs_that_a_higher_partition_preempts_go_on_when_it_is_through(
    launched, same_as_serial, cluster
):
    matrix = launched(lrs=(0.05, 0.1), slurm={"runs-per-job": 2})
    matrix.hold(2)
    matrix.submit()
    matrix.wait_for_epoch(2)
    assert len({matrix.job(run) for run in matrix.cells}) == 1
    all_of_it = f"--cpus-per-task={cluster.settings.cpus}"
    cluster.run("sbatch", "--partition=high", all_of_it, "--output=/dev/null", "--wrap", "sleep 1")
    matrix.wait(
        lambda: all(matrix.status(run, "train")["attempt"] == 2 for run in matrix.cells), "second attempts"
    )
    matrix.release()
    matrix.finish()
    assert all(went_on(matrix, run) for run in matrix.cells)
    same_as_serial(matrix)


def test_a_requeued_run_whose_data_loader_has_workers_goes_on(launched, tmp_path, cluster):
    axes = {"Optimizer": {"lr": [0.05]}}
    base = {"Data": {**picture_folders(tmp_path / "pictures"), "batch-size": 32, "num-workers": 2}}
    matrix = launched(base=base)
    matrix.hold(2)
    matrix.submit()
    serial = MatrixOnSlurm(tmp_path / "serial", None, axes, base={**BASE, **base}).run_here()
    [run] = matrix.cells
    matrix.wait_for_epoch(2)
    cluster.run("scontrol", "requeue", matrix.job(run))
    matrix.wait(lambda: matrix.status(run, "train")["attempt"] == 2, "the second attempt")
    matrix.release()
    matrix.finish()
    assert went_on(matrix, run)
    assert results(matrix.folder(run)) == next(iter(serial.values()))
    matrix.wait(lambda: not matrix.processes(run), "every process of the job to be gone")


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
    matrix.hold(2)
    matrix.submit()
    matrix.wait_for_epoch(2)
    worker, task = matrix.cells
    os.kill(matrix.status(worker, "train")["pid"], signal.SIGKILL)
    os.kill(task_of(matrix, task), signal.SIGKILL)
    matrix.wait_for_end()
    assert "killed by signal 9" in matrix.status(worker, "train")["reason"]
    found = {run: state for run, (state, _) in matrix.verdicts("train").items()}
    assert found[worker] == "failed"
    assert found[task] in ("lost", "stopped")  # its worker may live to save, once it has noticed
    assert {state for state, _ in matrix.verdicts("measure").values()} == {"blocked"}
    matrix.release()
    matrix.retry()
    matrix.finish()
    assert all(went_on(matrix, run) for run in matrix.cells)
    same_as_serial(matrix)


def limit():
    """A minute, which is long enough to begin in; up to three where the machine is so busy that it is not."""
    before = time.monotonic()
    subprocess.run([sys.executable, "-c", "import layerscope.stages, torch._dynamo"], check=True)
    return min(3, math.ceil((LOST_SECONDS + 2 * (time.monotonic() - before)) / 60))


def test_a_run_longer_than_its_time_limit_goes_on_over_several_time_outs(launched, same_as_serial):
    matrix = launched(slurm={"train": {"timeout": limit(), "signal-seconds": 5}})
    matrix.hold(1)  # of its six epochs in each turn
    matrix.submit()
    [run] = matrix.cells

    def is_in_a_third_turn():
        return matrix.status(run, "train").get("attempt", 0) >= 3 and matrix.epochs(run) >= 2

    matrix.wait(is_in_a_third_turn, "the third attempt")
    matrix.release()
    matrix.finish()
    logs = [path.read_text() for path in (matrix.folder(run) / "jobs").glob("train.*.log")]
    assert any("resuming after epoch" in log for log in logs)
    assert len(matrix.submitted()) == 2  # it needed no more than one job per stage
    same_as_serial(matrix)
