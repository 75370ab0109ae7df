"""What is said about a stage is true, whatever ends it."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import replace

import pytest

from layerscope import status
from layerscope.errors import Blocked, StorageError, TrainingDiverged
from layerscope.errors import Stopped as WasStopped
from layerscope.heartbeat import JOB_VARIABLE
from layerscope.status import STATES, StageStatus, StatusFile, block, recording


@pytest.fixture
def file(tmp_path):
    return StatusFile(tmp_path / "run", "train")


def record(file, *, key="abc", error=None, begin=True):
    with recording(file, key=lambda: key, progress=7) as begins:
        if begin:
            begins()
        if error is not None:
            raise error


def test_what_was_written_is_read_again(file):
    assert file.read() is None
    assert file.age() == float("inf")
    said = StageStatus("queued", job="12_3", queued="2026-11-22T10:00:00+00:00", attempt=2)
    file.write(said)
    assert file.read() == said
    assert file.path.parts[-2:] == ("status", "train.json")
    assert [path.name for path in file.path.parent.iterdir()] == ["train.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"x"', b"\xff", b'{"reason": "no state"}'])
def test_a_file_that_cannot_be_understood_says_nothing(file, content):
    file.path.parent.mkdir(parents=True)
    file.path.write_bytes(content)
    assert file.read() is None


def test_what_a_later_version_adds_is_left_out(file):
    file.path.parent.mkdir(parents=True)
    file.path.write_text(json.dumps({"state": "done", "key": "x", "mood": "good"}))
    assert file.read() == StageStatus("done", key="x")


def test_age_counts_from_the_last_heartbeat(file):
    file.write(StageStatus("running"))
    os.utime(file.path, (time.time() - 100, time.time() - 100))
    assert 99 < file.age() < 200
    file.heartbeat()
    assert file.age() < 90


def test_a_stage_is_running_while_it_works_and_done_afterwards(file, monkeypatch):
    monkeypatch.setenv(JOB_VARIABLE, "12_3")
    file.write(StageStatus("queued", job="12_3", attempt=1, queued="2026-11-22T10:00:00+00:00"))
    with recording(file, key=lambda: "abc", progress=7) as begin:
        begin()
        running = file.read()
        assert (running.state, running.job, running.attempt, running.progress) == ("running", "12_3", 2, 7)
        assert (running.pid, running.host) == (os.getpid(), os.uname().nodename)
    done = file.read()
    assert (done.state, done.key, done.attempt) == ("done", "abc", 2)
    assert running.queued == done.queued < done.started <= done.ended
    assert not [thread for thread in threading.enumerate() if "heartbeat" in thread.name]


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (TrainingDiverged("the loss is NaN"), "failed", "the loss is NaN"),
        (ZeroDivisionError("by zero"), "failed", "ZeroDivisionError: by zero"),
        (WasStopped("after epoch 3"), "stopped", "after epoch 3"),
        (Blocked("no checkpoints"), "blocked", "no checkpoints"),
        (KeyboardInterrupt(), "stopped", "interrupted; what was saved is intact"),
    ],
)
def test_what_ends_a_stage_is_its_state_and_reason(file, error, state, reason):
    with pytest.raises(type(error)):
        record(file, error=error)
    said = file.read()
    assert (said.state, said.reason, said.attempt, said.key) == (state, reason, 1, "")
    assert said.ended
    assert state in STATES


@pytest.mark.parametrize(
    ("error", "state"), [(WasStopped("after epoch 3"), "cancelled"), (TrainingDiverged("NaN"), "failed")]
)
def test_a_stage_that_was_cancelled_stays_so_when_its_process_stops(file, error, state):
    with pytest.raises(type(error)), recording(file, key=str) as begin:
        begin()
        file.write(replace(file.read(), state="cancelled", reason="cancelled by hand"))
        raise error
    said = file.read()
    assert said.state == state
    assert (said.reason == "cancelled by hand") == (state == "cancelled")


def test_a_stage_that_has_nothing_to_do_is_written_down_once(file):
    record(file, begin=False)
    assert file.read().state == "done"
    before = file.path.stat().st_mtime_ns
    record(file, begin=False)
    assert file.path.stat().st_mtime_ns == before
    record(file, key="another", begin=False)
    assert file.read().key == "another"


def test_a_failure_before_the_work_begins_counts_too(file):
    record(file)
    with pytest.raises(Blocked):
        record(file, error=Blocked("damaged"), begin=False)
    assert (file.read().state, file.read().attempt) == ("blocked", 2)


def test_a_full_disk_does_not_hide_what_ended_the_stage(file, monkeypatch):
    def refuse(*arguments, **options):
        raise StorageError("cannot write")

    with pytest.raises(TrainingDiverged), recording(file, key=str) as begin:
        begin()
        monkeypatch.setattr(status, "write_atomic", refuse)
        raise TrainingDiverged("NaN")


def test_a_blocked_stage_says_why(file):
    block(file, "train is not done")
    assert (file.read().state, file.read().reason) == ("blocked", "train is not done")
