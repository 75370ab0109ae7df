"""One command turns a matrix into jobs; they train, measure and draw; another call finds nothing to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from layerscope.status import STAGES

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]


def test_a_matrix_is_trained_measured_and_plotted_and_then_there_is_nothing_to_submit(
    launched, same_as_serial
):
    matrix = launched(lrs=(0.05, 0.1), runs=(0, 1))  # four runs, where an array holds three
    matrix.submit(STAGES)
    submitted = matrix.submitted()
    assert len(submitted) == len(STAGES) * 4
    matrix.finish(STAGES)
    same_as_serial(matrix)
    for run in matrix.cells:
        assert (matrix.folder(run) / "plots" / "Overview.pdf").stat().st_size > 1000

    table = matrix.succeed("--status")
    for run in matrix.cells:
        assert run in table
    matrix.submit(STAGES)
    assert matrix.submitted() == submitted


def test_without_sacct_squeue_and_the_status_files_say_it_all(launched, same_as_serial, without_sacct):
    matrix = launched()
    matrix.linger(1)
    matrix.submit(environment=without_sacct)
    matrix.wait_for_epoch(1)
    [run] = matrix.cells
    assert "running" in matrix.succeed("--status", environment=without_sacct)
    matrix.pace(0)
    matrix.finish()
    same_as_serial(matrix)
    assert "done" in matrix.succeed("--status", environment=without_sacct)
    assert matrix.status(run, "train")["attempt"] == 1


@pytest.fixture
def without_sacct(tmp_path):
    """A PATH on which all programs are, but sacct."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in os.environ["PATH"].split(":"):
        for program in Path(place).glob("*"):
            if program.name != "sacct" and not (folder / program.name).is_symlink():
                (folder / program.name).symlink_to(program)
    return {"PATH": str(folder)}
