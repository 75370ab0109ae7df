"""A run that needs longer than its jobs may take ends by itself, in turns."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]


def test_a_run_longer_than_its_time_limit_goes_on_over_several_time_outs(launched, same_as_serial):
    matrix = launched(slurm={"timeout": 1, "measure": {"timeout": 10}})
    matrix.pace(3)  # more than a minute of training
    matrix.submit()
    [run] = matrix.cells
    matrix.wait(lambda: matrix.status(run, "train").get("attempt") == 3, "the third attempt", 300)
    matrix.pace(0)
    matrix.finish()
    assert "resuming after epoch" in (matrix.folder(run) / "jobs" / "train.3.log").read_text()
    assert len(matrix.submitted()) == 2  # it needed no more than one job per stage
    same_as_serial(matrix)
