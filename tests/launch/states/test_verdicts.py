"""How a stage stands, from what was last said, Slurm's queue and its accounting: one case per row."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from layerscope.heartbeat import this_worker
from layerscope.launch.slurm.queue import AccountingEntry, QueueEntry
from layerscope.launch.states.verdicts import Evidence
from layerscope.status import StageStatus

DONE = ("done", "")
QUEUED, RUNNING = StageStatus("queued", job="5_1"), StageStatus("running", job="5_1", host="n1", attempt=1)
STOPPED = StageStatus("stopped", "was stopped after epoch 3", job="5_1", attempt=1)


def in_queue(state, reason="", node=""):
    return Evidence({"5_1": QueueEntry("5_1", state, reason, node)})


def gone(state="", **how):
    return Evidence({}, {"5_1": AccountingEntry("5_1", state, **how)} if state else {})


@pytest.mark.parametrize(
    ("status", "evidence", "verdict"),
    [
        (QUEUED, in_queue("PENDING", "Resources"), ("queued", "Resources")),
        (QUEUED, in_queue("PENDING", "Dependency"), ("queued", "waits for the stage before")),
        (QUEUED, in_queue("PENDING", "BeginTime"), ("queued", "was requeued; Slurm lets it wait")),
        (QUEUED, in_queue("RUNNING", node="n7"), ("running", "starts on n7")),
        (RUNNING, in_queue("RUNNING", node="n1"), ("running", "")),
        (RUNNING, in_queue("COMPLETING", node="n1"), ("running", "")),
        (RUNNING, in_queue("PENDING", "BeginTime"), ("queued", "was requeued")),
        (RUNNING, in_queue("PENDING", "JobHeldUser"), ("queued", "JobHeldUser")),
        (STOPPED, in_queue("PENDING", "BeginTime"), ("queued", "was requeued")),
        (STOPPED, gone(), ("stopped", "was stopped after epoch 3")),
        (STOPPED, gone("TIMEOUT"), ("stopped", "was stopped after epoch 3")),
        (QUEUED, gone(), ("lost", "job 5_1 left the queue without starting it")),
        (QUEUED, gone("CANCELLED"), ("cancelled", "its job was cancelled")),
        (
            QUEUED,
            gone("FAILED", exit_code=2),
            ("lost", "its job is over (FAILED, exit code 2) and said nothing"),
        ),
        (RUNNING, gone(), ("lost", "job 5_1 is gone and said nothing")),
        (RUNNING, gone("TIMEOUT"), ("timed-out", "its time was over before it could save")),
        (RUNNING, gone("OUT_OF_MEMORY", signal=9), ("lost", "its job ran out of memory; raise Slurm.mem")),
        (RUNNING, gone("NODE_FAIL"), ("lost", "its node failed")),
        (RUNNING, gone("FAILED", signal=9), ("lost", "its job is over (FAILED, killed by signal 9)")),
        (RUNNING, gone("COMPLETED"), ("lost", "its job is over (COMPLETED) and said nothing")),
    ],
)
def test_slurm_decides_about_jobs(status, evidence, verdict):
    state, reason = evidence.verdict(status, 5.0, DONE)
    assert state == verdict[0]
    assert reason.startswith(verdict[1])


@pytest.mark.parametrize(
    ("evidence", "before", "verdict"),
    [
        (
            in_queue("PENDING", "DependencyNeverSatisfied"),
            ("failed", "x"),
            ("blocked", "the stage before failed"),
        ),
        (in_queue("PENDING", "DependencyNeverSatisfied"), DONE, ("blocked", "DependencyNeverSatisfied")),
        (gone(), ("failed", "x"), ("blocked", "the stage before failed")),
        (gone("CANCELLED"), ("failed", "x"), ("blocked", "the stage before failed")),
        (gone("CANCELLED"), ("timed-out", "x"), ("blocked", "the stage before ran out of time")),
        (gone("CANCELLED"), ("lost", "x"), ("blocked", "the stage before is lost")),
        (gone("CANCELLED"), ("cancelled", "x"), ("cancelled", "its job was cancelled")),
        (gone(), ("cancelled", "x"), ("blocked", "the stage before is cancelled")),
        (gone(), ("stopped", "x"), ("blocked", "the stage before was stopped")),
        (gone("CANCELLED"), ("stopped", "x"), ("blocked", "the stage before was stopped")),
        (
            in_queue("PENDING", "DependencyNeverSatisfied"),
            ("stopped", "x"),
            ("blocked", "the stage before was stopped"),
        ),
        (in_queue("PENDING", "Dependency"), ("failed", "x"), ("queued", "waits for the stage before")),
    ],
)
def test_a_stage_is_blocked_by_the_one_before(evidence, before, verdict):
    assert evidence.verdict(QUEUED, 5.0, before) == verdict


@pytest.mark.parametrize("state", ["failed", "timed-out", "cancelled", "lost", "blocked"])
def test_what_was_said_at_the_end_stays(state):
    status = StageStatus(state, "for a reason", job="5_1")
    assert in_queue("RUNNING").verdict(status, 5.0, DONE) == (state, "for a reason")


def test_what_was_done_with_something_else_is_new():
    assert gone().verdict(StageStatus("done", key="old"), 5.0, DONE)[0] == "new"


@pytest.mark.parametrize(
    ("status", "age", "state"),
    [
        (QUEUED, 9e9, "queued"),
        (RUNNING, 5.0, "running"),
        (RUNNING, 61.0, "lost"),
        (STOPPED, 9e9, "stopped"),
    ],
)
def test_without_slurm_the_heartbeat_decides(status, age, state):
    assert Evidence(None).verdict(status, age, DONE)[0] == state


def test_silence_is_told_in_hours_and_minutes():
    reason = Evidence(None).verdict(RUNNING, 3725.4, DONE)[1]
    assert reason == "no sign of life from n1 for 1:02:05"


@pytest.mark.parametrize(("age", "state"), [(10.0, "queued"), (400.0, "lost")])
def test_who_is_killed_while_submitting_leaves_stages_without_a_job(age, state):
    assert Evidence({}).verdict(StageStatus("queued"), age, DONE)[0] == state


def local(pid, host=None):
    return StageStatus("running", host=host or this_worker().host, pid=pid, attempt=1)


def test_a_process_of_this_host_lives_or_does_not():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(timeout=60)
    assert Evidence({}).verdict(local(os.getpid()), 100.0, DONE) == ("running", "")
    assert Evidence({}).verdict(local(ended.pid), 1.0, DONE)[0] == "lost"


def test_another_process_of_the_same_number_is_not_taken_for_it():
    assert Evidence({}).verdict(local(os.getpid()), 10_000.0, DONE)[0] == "lost"


@pytest.mark.parametrize(("age", "state"), [(5.0, "running"), (61.0, "lost")])
def test_a_process_of_another_host_shows_itself_by_its_heartbeat(age, state):
    assert Evidence({}).verdict(local(os.getpid(), "elsewhere"), age, DONE)[0] == state
