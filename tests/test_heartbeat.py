"""A living writer is seen to live."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from layerscope.heartbeat import JOB_VARIABLE, Worker, beat, beating, is_process, this_worker


def test_a_beating_file_is_touched_until_the_block_ends(tmp_path):
    path = tmp_path / "status.json"
    path.write_text("running")
    os.utime(path, (1000, 1000))
    deadline = time.monotonic() + 20
    with beating(path, seconds=0.01):
        while path.stat().st_mtime < 2000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    os.utime(path, (1000, 1000))
    assert path.stat().st_mtime == 1000  # the thread has ended
    assert path.read_text() == "running"


def test_a_file_that_was_taken_away_stops_nobody(tmp_path):
    beat(tmp_path / "gone")
    assert not list(tmp_path.iterdir())


def test_a_worker_says_who_it_is(monkeypatch):
    monkeypatch.setenv(JOB_VARIABLE, "123_4")
    assert this_worker() == Worker(os.getpid(), os.uname().nodename, "123_4")
    assert str(Worker(7, "node1", "123_4")) == "process 7 on node1 (job 123_4)"
    monkeypatch.delenv(JOB_VARIABLE)
    assert this_worker().job == ""
    assert str(Worker(7, "node1", "")) == "process 7 on node1"


def test_a_process_lives_until_it_is_buried():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert is_process(process.pid)
    assert not is_process(process.pid)
    assert is_process(1)  # somebody else's, perhaps
