"""One process works in a folder, wherever it runs."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from layerscope.claim import exclusive
from layerscope.errors import RunFolderError, StorageError
from layerscope.heartbeat import JOB_VARIABLE

HERE = os.uname().nodename
ELSEWHERE = {"pid": 77, "host": "another-node", "job": "123_4"}
HOLD = (
    "import sys, time; from pathlib import Path; from layerscope.claim import exclusive\n"
    "with exclusive(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
)


def left_by(holder, path, *, seconds=0.0):
    """A claim whose holder gave its last sign of life so long ago."""
    path.write_text(json.dumps(holder))
    moment = time.time() - seconds
    os.utime(path, (moment, moment))


@pytest.fixture
def without_locks(monkeypatch):
    """A file system that knows no locks."""

    def refuse(*arguments):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.fixture
def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_folder_held_by_another_process_is_refused_with_its_name_until_that_dies(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with (
                pytest.raises(RunFolderError, match=f"in use by process {holder.pid} on {HERE}"),
                exclusive(tmp_path),
            ):
                pass
        finally:
            holder.kill()
    deadline = time.monotonic() + 10
    while not is_free(tmp_path):  # the kernel frees the lock when it has buried the process
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_free(folder):
    try:
        with exclusive(folder):
            return True
    except RunFolderError:
        return False


def test_the_claim_says_who_holds_the_folder_and_is_gone_afterwards(tmp_path, monkeypatch):
    monkeypatch.setenv(JOB_VARIABLE, "9_1")
    with exclusive(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text()) == {
            "pid": os.getpid(),
            "host": HERE,
            "job": "9_1",
        }
    assert (tmp_path / ".lock").read_text() == ""
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_living_holder_on_another_host_is_respected_even_where_locks_do_not_reach(tmp_path):
    left_by(ELSEWHERE, tmp_path / ".lock", seconds=20)
    with (
        pytest.raises(RunFolderError, match=r"process 77 on another-node \(job 123_4\)"),
        exclusive(tmp_path),
    ):
        pass
    assert json.loads((tmp_path / ".lock").read_text()) == ELSEWHERE


def test_a_requeued_job_takes_over_what_it_held_on_another_host(tmp_path, monkeypatch):
    left_by(ELSEWHERE, tmp_path / ".lock")
    monkeypatch.setenv(JOB_VARIABLE, "123_4")
    assert is_free(tmp_path)


def test_a_claim_without_a_sign_of_life_is_taken_over(tmp_path):
    left_by(ELSEWHERE, tmp_path / ".lock", seconds=61)
    assert is_free(tmp_path)


def test_what_an_older_version_wrote_into_the_lock_claims_nothing(tmp_path):
    (tmp_path / ".lock").write_text("process 12 on another-node")
    assert is_free(tmp_path)


def test_ages_are_told_by_the_clock_of_the_file_system(tmp_path, monkeypatch):
    left_by(ELSEWHERE, tmp_path / ".lock")
    monkeypatch.setattr(time, "time", lambda: 4e9)  # this host believes itself far in the future
    assert not is_free(tmp_path)


def test_without_locks_the_claim_alone_decides(tmp_path, without_locks, caplog):
    with exclusive(tmp_path):
        assert "no locks on this file system" in caplog.text
        with (
            pytest.raises(RunFolderError, match=f"in use by process {os.getpid()} on {HERE}"),
            exclusive(tmp_path),
        ):
            pass
    assert is_free(tmp_path)
    assert not (tmp_path / ".claim").exists()


def test_without_locks_a_dead_process_of_this_host_holds_nothing(tmp_path, without_locks, dead_pid):
    left_by({"pid": dead_pid, "host": HERE, "job": ""}, tmp_path / ".claim")
    assert is_free(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock"]


def test_without_locks_another_host_is_believed_as_long_as_it_lives(tmp_path, without_locks):
    left_by(ELSEWHERE, tmp_path / ".claim", seconds=20)
    assert not is_free(tmp_path)
    left_by(ELSEWHERE, tmp_path / ".claim", seconds=61)
    assert is_free(tmp_path)


def test_without_locks_one_who_died_while_taking_over_is_in_the_way_for_a_minute(
    tmp_path, without_locks, dead_pid
):
    left_by({"pid": dead_pid, "host": HERE, "job": ""}, tmp_path / ".claim")
    left_by(ELSEWHERE, tmp_path / ".claim.taking", seconds=20)
    for _ in range(2):
        with pytest.raises(RunFolderError, match=r"in use by .* on another-node"), exclusive(tmp_path):
            pass
    left_by(ELSEWHERE, tmp_path / ".claim.taking", seconds=61)
    with pytest.raises(RunFolderError, match="in use by"), exclusive(tmp_path):
        pass
    with exclusive(tmp_path):
        assert not (tmp_path / ".claim.taking").exists()


def test_without_locks_only_one_of_many_that_come_at_once_gets_the_folder(tmp_path, without_locks, dead_pid):
    left_by({"pid": dead_pid, "host": HERE, "job": ""}, tmp_path / ".claim")
    barrier, done, inside, most = threading.Barrier(8), threading.Event(), [], []

    def enter():
        barrier.wait()
        try:
            with exclusive(tmp_path):
                inside.append(1)
                most.append(len(inside))
                done.wait(20)
                inside.pop()
        except RunFolderError:
            refused.append(1)
            if len(refused) == 7:
                done.set()

    refused = []
    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (most, len(refused)) == ([1], 7)


def test_a_lock_that_fails_for_another_reason_is_an_error(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StorageError, match=r"cannot lock .*Input/output error"), exclusive(tmp_path):
        pass


def test_a_full_disk_is_an_error_with_the_remedy(small_disk):
    fill(small_disk)
    with pytest.raises(StorageError, match="No space left"), exclusive(small_disk):
        pass


def fill(folder):
    with (folder / "big").open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(bytes(4096))
        except OSError:
            return
