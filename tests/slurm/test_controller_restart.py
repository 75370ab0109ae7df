"""The controller of the cluster goes away while jobs run, and comes back."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(900)]


def test_jobs_and_their_dependencies_survive_a_restart_of_the_controller(launched, same_as_serial, cluster):
    matrix = launched(lrs=(0.05, 0.1))
    matrix.pace(0.3)
    matrix.submit()
    matrix.wait_for_epoch(1)
    cluster.stop_controller()
    assert "running" in matrix.call("--status").stdout  # from the status files alone
    matrix.wait_for_epoch(2)
    cluster.start_controller()
    matrix.pace(0)
    matrix.finish()
    same_as_serial(matrix)
    assert len(matrix.submitted()) == 4
