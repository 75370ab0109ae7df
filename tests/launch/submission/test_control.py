"""Submitting again what went wrong, and cancelling."""

from __future__ import annotations

import pytest

from layerscope.errors import UsageError
from layerscope.launch.errors import LaunchError
from layerscope.launch.submission.control import cancel, gone_wrong, retry
from layerscope.launch.submission.submit import submit, submitting
from layerscope.status import StageStatus

from ..fake_slurm import FakeSlurm, stage_jobs
from ..some_runs import runs_with


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    return FakeSlurm(tmp_path / "slurm", monkeypatch)


@pytest.fixture
def runs(tmp_path):
    return runs_with(4, base=tmp_path / "logs")


def say(run, stage, state, **details):
    run.status(stage).write(StageStatus(state, **details))


def test_a_failed_run_is_submitted_again_alone(slurm, runs, tmp_path):
    say(runs[1], "train", "failed", reason="the loss is NaN", attempt=3)
    submission = retry(tmp_path / "logs", runs, "failed")
    assert [array.runs for array in submission.arrays] == [1, 1, 1]
    status = runs[1].status("train").read()
    assert (status.state, status.attempt, status.reason) == ("queued", 3, "")
    assert stage_jobs(runs[0]) == {}


@pytest.mark.parametrize("state", ["failed", "timed-out", "lost", "cancelled", "stopped"])
def test_every_way_to_go_wrong_can_be_tried_again(slurm, runs, state):
    for number, other in enumerate(("failed", "timed-out", "lost", "cancelled", "stopped")[:4]):
        say(runs[number], "train", other)
    say(runs[3], "measure", state)
    assert "run_3" in {run.name for run in gone_wrong(runs, state)}


def test_all_means_everything_that_went_wrong_and_nothing_else(slurm, runs):
    say(runs[0], "train", "failed")
    say(runs[1], "train", "cancelled")
    say(runs[2], "train", "blocked")
    assert [run.name for run in gone_wrong(runs, "all")] == ["run_0", "run_1"]


def test_runs_in_the_queue_are_not_tried_again(slurm, runs, tmp_path):
    submit(tmp_path / "logs", runs)
    assert retry(tmp_path / "logs", runs, "all").jobs == []
    assert len(slurm.calls) == 3


def test_a_retry_that_slurm_does_not_take_leaves_every_verdict(slurm, runs, tmp_path, monkeypatch):
    said = StageStatus("failed", reason="the loss is NaN", job="7_0", attempt=3)
    runs[1].status("train").write(said)
    slurm.troubles({1: {"refuse": "QOSMaxSubmitJobPerUserLimit"}})
    with pytest.raises(LaunchError, match="was not taken"):
        retry(tmp_path / "logs", runs, "all")
    assert runs[1].status("train").read() == said
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="no sbatch"):
        retry(tmp_path / "logs", runs, "all")
    assert runs[1].status("train").read() == said


def test_two_retries_at_once_submit_once(slurm, runs, tmp_path, monkeypatch):
    say(runs[1], "train", "failed")
    overtaken = []

    def after_another(base, patience):
        if not overtaken:
            overtaken.append(True)
            assert len(retry(base, runs, "failed").jobs) == 3
        return submitting(base, patience)

    monkeypatch.setattr("layerscope.launch.submission.submit.submitting", after_another)
    assert retry(tmp_path / "logs", runs, "failed").jobs == []
    assert overtaken and len(slurm.calls) == 3


def test_nothing_to_try_again_asks_nothing_of_slurm(slurm, runs, tmp_path):
    assert retry(tmp_path / "logs", runs, "failed").jobs == []


def test_a_word_that_is_no_state_is_refused_with_the_known_ones(slurm, runs):
    with pytest.raises(UsageError, match="failed, timed-out, lost"):
        gone_wrong(runs, "broken")


def test_timeout_is_understood_as_timed_out(slurm, runs):
    say(runs[0], "train", "timed-out")
    assert [run.name for run in gone_wrong(runs, "timeout")] == ["run_0"]


def test_cancelling_ends_every_job_of_the_chosen_runs_in_few_calls(slurm, runs, tmp_path):
    submit(tmp_path / "logs", runs)
    ended = cancel(runs[:2])
    assert slurm.cancelled == ["100_[0-1]", "200_[0-1]", "300_[0-1]"]
    assert len(ended) == 6
    assert set(stage_jobs(runs[0]).values()) == {"cancelled 100_0", "cancelled 200_0", "cancelled 300_0"}
    assert stage_jobs(runs[2])["train"] == "queued 100_2"


def test_cancelled_runs_are_submitted_again_by_the_same_command(slurm, runs, tmp_path):
    submit(tmp_path / "logs", runs)
    cancel(runs)
    assert len(submit(tmp_path / "logs", runs).jobs) == 3


def test_who_shares_a_job_is_cancelled_with_it_and_named(slurm, tmp_path):
    runs = runs_with(4, base=tmp_path / "logs", **{"runs-per-job": 2})
    submit(tmp_path / "logs", runs, ["train"])
    ended = cancel(runs[:1], runs)
    assert [(one.run.name, one.companion) for one in ended] == [("run_0", False), ("run_1", True)]
    assert runs[1].status("train").read().state == "cancelled"
    assert runs[2].status("train").read().state == "queued"


def test_cancelling_what_is_not_in_the_queue_does_nothing(slurm, runs):
    say(runs[0], "train", "failed")
    assert cancel(runs) == []
    assert slurm.cancelled == []
