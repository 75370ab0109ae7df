"""A real one-node Slurm for the tests here, one per file, so that what one file breaks no other one sees."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1] / "slurm" / "testcluster"), str(HERE)]

from cluster_for_tests import new_cluster, up  # noqa: E402
from matrix_on_slurm import PATIENCE, MatrixOnSlurm, results  # noqa: E402
from processes import alone  # noqa: E402
from slurm_cluster import Settings  # noqa: E402

DAY = 86400  # seconds, for which the controller remembers jobs: tests ask what was ever submitted


@pytest.fixture(scope="module")
def settings():
    """What the file's cluster is like; a file may have its own."""
    return Settings(cpus=4, max_array_size=3, kill_wait=30, min_job_age=DAY)  # time enough to save


@pytest.fixture(scope="module")
def cluster(settings):
    """A cluster for the tests of one file."""
    with up(new_cluster(settings)) as cluster:
        yield cluster


@pytest.fixture
def ours(cluster):
    """Tell it of a matrix: no job of it outlives the test."""
    matrices = []

    def note(matrix):
        matrices.append(matrix)
        return matrix

    yield note
    for matrix in matrices:
        if jobs := {line.split("_")[0].split()[0] for line in matrix.queue()}:
            cluster.run("scancel", *jobs)
            matrix.wait_for_end(120)


@pytest.fixture
def launched(cluster, ours, tmp_path):
    """Make a matrix to launch: ``launched(lrs, runs, …)``."""

    def make(lrs=(0.05,), runs=(0,), **options):
        axes = {"Optimizer": {"lr": list(lrs)}, "Run": {"run": list(runs)}}
        return ours(MatrixOnSlurm(tmp_path / "work", cluster, axes, **options))

    return make


@pytest.fixture(scope="session")
def serial(tmp_path_factory):
    """Results of the same cells without Slurm, by learning rate and repetition; made once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    axes = {"Optimizer": {"lr": [0.05, 0.1]}, "Run": {"run": [0, 1]}}
    with alone(shared / "serial.lock", patience=PATIENCE):
        matrix = MatrixOnSlurm(shared / "serial", None, axes)
        found = matrix.run_here()  # which has nothing to do when another worker has done it
    return {cell(matrix, run): result for run, result in found.items()}


def cell(matrix, run):
    """What tells the runs of the tests apart."""
    config = matrix.cells[run]
    return config.optimizer.lr, config.run.run


@pytest.fixture
def same_as_serial(serial):
    """Check that a matrix came to the very results of the serial run."""

    def check(matrix, runs=None):
        for run in runs or matrix.cells:
            expected, found = serial[cell(matrix, run)], results(matrix.folder(run))
            assert found.keys() == expected.keys(), run
            assert [name for name in expected if found[name] != expected[name]] == [], run

    return check
