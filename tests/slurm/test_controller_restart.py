"""The controller of the cluster goes away while jobs run, and comes back."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]


@pytest.fixture
def interrupted(cluster):
    """Stop the controller; it is there again after the test, whatever happened."""
    yield cluster.stop_controller
    if not cluster.is_up():
        cluster.start_controller()


def test_jobs_and_their_dependencies_survive_a_restart_of_the_controller(
    launched, interrupted, same_as_serial, cluster
):
    matrix = launched(lrs=(0.05, 0.1))
    matrix.hold(1)
    matrix.submit()
    matrix.wait_for_epoch(1)
    interrupted()
    told = json.loads(matrix.succeed("--status", "--json"))  # from the status files alone
    assert [run["state"] for run in told["runs"]] == ["running", "running"]
    matrix.hold(2)
    matrix.wait_for_epoch(2)
    cluster.start_controller()
    matrix.release()
    matrix.finish()
    same_as_serial(matrix)
    assert len(matrix.submitted()) == 4
