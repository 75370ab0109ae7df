"""Jobs that were cancelled or whose run failed are named, spare the others, and can be started again."""

from __future__ import annotations

import pytest
from matrix_on_slurm import TABLES

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1500)]


def test_the_half_of_an_array_that_was_cancelled_is_retried(launched, same_as_serial, cluster):
    matrix = launched(lrs=(0.05, 0.1))
    matrix.hold(2)
    matrix.submit()
    kept, cancelled = matrix.cells
    matrix.wait_for_epoch(2)
    cluster.run("scancel", matrix.job(cancelled))
    matrix.release()
    matrix.wait_for_end()
    assert [matrix.status(kept, stage)["state"] for stage in TABLES] == ["done", "done"], matrix.report()
    assert not (matrix.folder(cancelled) / "measurements").exists()
    assert [matrix.verdicts(stage)[cancelled][0] for stage in TABLES] == ["stopped", "blocked"]

    before = set(matrix.submitted())
    matrix.retry()
    assert len(set(matrix.submitted()) - before) == 2  # both stages of the cancelled run, nothing else
    matrix.finish()
    same_as_serial(matrix)
    assert matrix.status(cancelled, "train")["progress"] >= 1  # where it was, not from the start


def test_what_is_cancelled_by_us_saves_and_stays_so_until_it_is_retried(launched, same_as_serial):
    matrix = launched()
    matrix.hold(2)
    matrix.submit()
    matrix.wait_for_epoch(2)
    matrix.succeed("--cancel")
    matrix.wait_for_end()
    [run] = matrix.cells
    found = [matrix.verdicts(stage)[run] for stage in TABLES]
    assert found == [("cancelled", "cancelled by hand")] * 2, matrix.report()

    matrix.release()
    matrix.retry()
    matrix.finish()
    same_as_serial(matrix)
    assert matrix.status(run, "train")["progress"] >= 1


def test_a_run_that_diverges_fails_with_its_reason_and_leaves_the_others_alone(launched, same_as_serial):
    matrix = launched(lrs=(0.05, 1e30))
    matrix.submit()
    matrix.wait_for_end()
    healthy, diverged = matrix.cells
    state, reason = matrix.verdicts("train")[diverged]
    assert (state, "loss is" in reason) == ("failed", True), reason
    assert not (matrix.folder(diverged) / "measurements").exists()
    same_as_serial(matrix, [healthy])

    state, reason = matrix.verdicts("measure")[diverged]
    assert (state, "the stage before failed" in reason) == ("blocked", True), reason
