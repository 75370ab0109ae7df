"""What a job does with its runs: side by side, asked to stop, started again, and what its exit code says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layerscope.launch.arrays.workload import Workload
from layerscope.launch.errors import LaunchError
from layerscope.launch.job import check_code
from layerscope.launch.submission.snapshot import take_snapshot
from layerscope.status import StageStatus

from ..fake_slurm import FakeSlurm
from ..some_runs import runs_with

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[1]
PATIENCE = 120.0
REQUEUED = 255  # how submitit leaves after it asked Slurm for another start


class Job:
    """A job of runs with the given behaviours, as Slurm would start it."""

    def __init__(self, base, slurm, behaviours, *, timeout_min=60, signal_seconds=60, requeue=True):
        self.runs = runs_with(len(behaviours), base=base)
        self.slurm, self.folder = slurm, base / "jobs" / "array"
        for run, words in zip(self.runs, behaviours, strict=True):
            run.claim_config()
            (run.folder / "behaviour").write_text("\n".join(words), encoding="utf-8")
        folders = tuple(str(run.folder) for run in self.runs)
        work = Workload("train", {4: folders}, timeout_min, signal_seconds, 0, requeue, "/code", "digest")
        work.write(self.folder)

    def start(self, started_minutes_ago=0):
        environment = {
            **os.environ,
            "SLURM_JOB_ID": "105",
            "SLURM_ARRAY_JOB_ID": "100",
            "SLURM_ARRAY_TASK_ID": "4",
            "SUBMITIT_EXECUTOR": "slurm",
            "PYTHONPATH": str(HERE),
            "LAYERSCOPE_STARTED": str(int(time.time() - 60 * started_minutes_ago)),
        }
        for run in self.runs:
            (run.folder / "at work").unlink(missing_ok=True)
        command = [sys.executable, str(HERE / "job_driver.py"), str(self.folder)]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        return self

    def at_work(self, *numbers):
        """Wait until these runs' workers are."""
        end = time.monotonic() + PATIENCE
        while not all((self.runs[number].folder / "at work").exists() for number in numbers):
            assert time.monotonic() < end and self.process.poll() is None, self.log
            time.sleep(0.02)
        return self

    def end(self):
        """The exit code."""
        return self.process.wait(PATIENCE)

    @property
    def log(self):
        return (self.folder / "log").read_text(encoding="utf-8")

    @property
    def states(self):
        statuses = [run.status("train").read() for run in self.runs]
        return [status.state if status else "new" for status in statuses]

    @property
    def starts(self):
        paths = [run.folder / "starts" for run in self.runs]
        return [len(path.read_text().splitlines()) if path.exists() else 0 for path in paths]


@pytest.fixture
def job(tmp_path, monkeypatch):
    slurm = FakeSlurm(tmp_path / "slurm", monkeypatch)
    jobs = []

    def job(*behaviours, **settings):
        jobs.append(Job(tmp_path / "logs", slurm, behaviours, **settings))
        return jobs[-1]

    yield job
    for one in jobs:
        one.process.kill()
        one.process.wait(PATIENCE)


def test_a_job_that_trains_its_run_ends_well(job):
    one = job(["finish"]).start()
    assert one.end() == 0, one.log
    assert one.states == ["done"]
    assert one.runs[0].status("train").read().job == "100_4"


def test_a_job_whose_run_fails_fails_with_the_reason_in_its_log(job):
    one = job(["fail"]).start()
    assert one.end() == 1
    assert one.states == ["failed"]
    assert "run_0: failed: the loss is NaN" in one.log


def test_packed_runs_do_not_take_each_other_down(job):
    one = job(["die"], ["finish"], ["fail"]).start()
    assert one.end() == 0, one.log
    assert one.states == ["failed", "done", "failed"]
    assert "SIGKILL" in one.runs[0].status("train").read().reason


def test_a_packed_job_of_which_every_run_failed_fails(job):
    one = job(["die"], ["fail"]).start()
    assert one.end() == 1


def test_a_warned_job_lets_its_runs_save_and_asks_for_another_start(job):
    one = job(["work", "finish"]).start().at_work(0)
    one.process.send_signal(signal.SIGUSR2)
    assert one.end() == REQUEUED, one.log
    assert one.slurm.requeued == ["100_4"]
    assert one.states == ["queued"]
    assert one.start().end() == 0, one.log
    assert (one.states, one.starts) == (["done"], [2])


def test_a_run_that_is_hit_while_it_leaves_has_saved_all_the_same(job):
    one = job(["work", "finish"])
    (one.runs[0].folder / "hit at the end").touch()
    one.start().at_work(0).process.send_signal(signal.SIGUSR2)
    assert one.end() == REQUEUED, one.log
    assert one.states == ["queued"]


def test_another_start_goes_on_with_the_unfinished_runs_only(job):
    one = job(["finish"], ["work", "finish"], ["fail"]).start().at_work(1)
    wait_until(lambda: one.states[0] == "done" and one.states[2] == "failed")
    one.process.send_signal(signal.SIGUSR2)
    assert one.end() == REQUEUED, one.log
    assert one.start().end() == 0, one.log
    assert (one.states, one.starts) == (["done", "done", "failed"], [1, 2, 1])


def test_a_run_that_does_not_listen_is_ended_and_goes_on_at_the_next_start(job):
    one = job(["deaf", "finish"], signal_seconds=8).start().at_work(0)
    one.process.send_signal(signal.SIGUSR2)
    assert one.end() == REQUEUED, one.log
    assert one.start().end() == 0, one.log
    assert one.states == ["done"]


def test_three_time_limits_without_progress_end_it(job):
    one = job(["work"] * 3)
    for code in (REQUEUED, REQUEUED, 1):
        one.start(started_minutes_ago=60).at_work(0).process.send_signal(signal.SIGUSR2)
        assert one.end() == code, one.log
    assert one.states == ["timed-out"]
    assert "raise Slurm.timeout" in one.runs[0].status("train").read().reason
    assert len(one.slurm.requeued) == 2


def test_time_limits_with_progress_go_on_and_on(job):
    one = job(["work and save"] * 4)
    for _ in range(4):
        one.start(started_minutes_ago=60).at_work(0).process.send_signal(signal.SIGUSR2)
        assert one.end() == REQUEUED, one.log


def test_preemptions_do_not_count_as_time_limits(job):
    one = job(["work"] * 4)
    for _ in range(4):
        one.start(started_minutes_ago=5).at_work(0).process.send_signal(signal.SIGUSR2)
        assert one.end() == REQUEUED, one.log


def test_a_job_that_may_not_be_requeued_says_that_it_was_stopped(job):
    one = job(["work"], requeue=False).start().at_work(0)
    one.process.send_signal(signal.SIGUSR2)
    assert one.end() == 1
    assert (one.states, one.slurm.requeued) == (["stopped"], [])


def test_a_warning_in_the_very_moment_of_the_end_spoils_nothing(job):
    one = job(["finish"], ["work"], requeue=False).start().at_work(1)
    wait_until(lambda: one.states[0] == "done")
    one.process.send_signal(signal.SIGUSR2)
    assert one.end() == 0, one.log
    assert one.states == ["done", "stopped"]


@pytest.mark.parametrize(("state", "code", "requeued"), [("RUNNING", REQUEUED, 1), ("COMPLETING", 1, 0)])
def test_runs_stopped_by_a_preemption_with_grace_are_requeued_and_cancelled_ones_are_not(
    job, state, code, requeued
):
    one = job(["work", "finish"])
    one.slurm.running("100_4", state)
    one.start().at_work(0)
    os.kill(one.runs[0].status("train").read().pid, signal.SIGTERM)  # Slurm's TERM reaches the workers
    assert one.end() == code, one.log
    assert len(one.slurm.requeued) == requeued


def test_a_requeued_job_that_is_killed_in_mid_requeue_starts_again(job):
    one = job(["work", "finish"]).start().at_work(0)
    (one.folder / "100_4_submitted.pkl.save_tmp").write_bytes(b"half")
    one.process.kill()
    one.end()
    os.kill(one.runs[0].status("train").read().pid, signal.SIGKILL)
    assert one.start().end() == 0, one.log


def test_a_job_that_has_nothing_left_to_do_starts_no_worker(job):
    one = job(["finish", "fail"])
    one.start().end()
    assert one.start().end() == 0, one.log
    assert one.starts == [1]


def test_a_run_that_was_submitted_again_since_is_left_to_its_new_job(job):
    one = job(["finish"], ["finish"])
    one.runs[0].status("train").write(StageStatus("queued", job="700_0"))
    assert one.start().end() == 0, one.log
    assert (one.states, one.starts) == (["queued", "done"], [0, 1])


def test_a_run_whose_folder_is_gone_is_named_and_the_others_go_on(job):
    one = job(["finish"], ["finish"])
    one.runs[0].config_path.unlink()
    assert one.start().end() == 0, one.log
    assert one.states == ["failed", "done"]
    assert "config.yaml" in one.runs[0].status("train").read().reason


def test_code_that_was_edited_since_is_not_run(tmp_path):
    snapshot = take_snapshot(tmp_path)
    work = Workload("train", {0: ()}, 60, 60, 0, True, str(snapshot.path), snapshot.digest)
    (snapshot.path / "layerscope" / "run.py").write_text("edited", encoding="utf-8")
    with pytest.raises(LaunchError, match="does not hold the code that was submitted"):
        check_code(work)


def test_code_from_elsewhere_than_the_snapshot_is_not_run(tmp_path):
    snapshot = take_snapshot(tmp_path)
    work = Workload("train", {0: ()}, 60, 60, 0, True, str(snapshot.path), snapshot.digest)
    with pytest.raises(LaunchError, match="instead of the code that was submitted"):
        check_code(work)  # this process has its package from the checkout


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
