"""One command turns a matrix into jobs; they train, measure and draw; another call finds nothing to do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from matrix_on_slurm import DebugMatrix, results

from layerscope.status import STAGES

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]


def test_the_shipped_matrix_comes_to_its_end_as_jobs_with_the_bits_of_a_serial_run(
    cluster, ours, tmp_path, without_sacct
):
    matrix = ours(DebugMatrix(tmp_path / "work", cluster))
    said = matrix.succeed("-s", environment=without_sacct)
    submitted = matrix.submitted()
    assert len(submitted) == len(STAGES) * 6
    assert said.count("aftercorr:") == said.count("afterany:") == 2  # an array holds three runs
    assert matrix.queue(), "the command waited for the jobs"
    expected = DebugMatrix(tmp_path / "serial", None).run_here()

    matrix.finish(STAGES)
    assert {run: results(matrix.folder(run)) for run in matrix.cells} == expected
    for run in matrix.cells:
        assert (matrix.folder(run) / "plots" / "Overview.png").stat().st_size > 1000
        assert {matrix.status(run, stage)["attempt"] for stage in STAGES} == {1}
    told = json.loads(matrix.succeed("--status", "--json", environment=without_sacct))
    assert {run["name"]: run["state"] for run in told["runs"]} == dict.fromkeys(matrix.cells, "done")
    matrix.succeed("-s", environment=without_sacct)
    assert matrix.submitted() == submitted


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
