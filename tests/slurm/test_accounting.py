"""On a cluster that keeps accounts, sacct says what squeue has forgotten."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest
from slurm_cluster import Settings

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def settings():
    return Settings(max_array_size=3, accounting=True, min_job_age=2)


def test_accounting_tells_what_became_of_a_job_that_died_without_a_word(launched, same_as_serial, cluster):
    matrix = launched(lrs=(0.05, 0.1))
    matrix.hold(2)
    matrix.submit()
    matrix.wait_for_epoch(2)
    kept, killed = matrix.cells
    for process in matrix.processes(killed):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    matrix.release()
    matrix.wait_for_end()
    matrix.wait(lambda: not matrix.submitted(), "the controller to forget the jobs", 120)
    assert matrix.status(killed, "train")["state"] == "running"  # the last that it said
    state, reason = matrix.verdicts("train")[killed]
    assert state == "lost"
    assert "FAILED" in reason
    same_as_serial(matrix, [kept])
    matrix.retry()
    matrix.finish()
    same_as_serial(matrix)
