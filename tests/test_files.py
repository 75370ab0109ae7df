"""Files are never torn, and a full disk says so."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from layerscope import files
from layerscope.errors import StorageError
from layerscope.files import atomic_path, remove_leftovers, sha256, temporary, write_atomic, write_json


def test_what_is_written_is_there(tmp_path):
    path = tmp_path / "new" / "folder" / "note.txt"
    write_atomic(path, "grüße")
    assert path.read_text(encoding="utf-8") == "grüße"
    write_json(path, {"a": [1, 2]})
    assert path.read_text(encoding="utf-8") == '{\n  "a": [\n    1,\n    2\n  ]\n}\n'


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    write_atomic(path, "old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as beside:
        beside.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["table.csv"]


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(StorageError, match=r"cannot write .*file/inside.txt: .*run the same command again"):
        write_atomic(blocked / "inside.txt", "x")


def test_a_full_disk_says_how_much_is_free_and_keeps_the_old_file(small_disk):
    path = small_disk / "big.bin"
    write_atomic(path, b"old")
    with pytest.raises(StorageError, match=r"No space left on device \(\d+\.\d MiB free\)"):
        write_atomic(path, bytes(8 << 20))
    assert path.read_bytes() == b"old"
    assert [child.name for child in small_disk.iterdir()] == ["big.bin"]


def test_leftovers_of_killed_processes_are_removed_and_nothing_else(tmp_path):
    (tmp_path / ".table.csv.123.tmp").write_text("half")
    (tmp_path / "table.csv").write_text("whole")
    (tmp_path / ".lock").write_text("")
    remove_leftovers(tmp_path)
    assert sorted(child.name for child in tmp_path.iterdir()) == [".lock", "table.csv"]


def test_what_living_processes_are_writing_is_no_leftover(tmp_path):
    here = os.uname().nodename
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living:
        dying = subprocess.Popen([sys.executable, "-c", ""])
        dying.wait()
        writing = {
            tmp_path / f".a.json.7.{living.pid}@{here}.tmp": True,
            tmp_path / f".a.json.7.{dying.pid}@{here}.tmp": False,
            temporary(tmp_path / "a.json"): False,  # of an earlier process with this number
            tmp_path / ".a.json.7.1@another-node.tmp": True,
            tmp_path / ".a.json.7.2@another-node.tmp": False,
        }
        for path in writing:
            path.write_text("half")
        os.utime(tmp_path / ".a.json.7.2@another-node.tmp", (1000, 1000))
        remove_leftovers(tmp_path)
        assert {path: path.exists() for path in writing} == writing


def test_what_another_thread_of_this_process_is_writing_is_no_leftover(tmp_path):
    path, begun, go_on = tmp_path / "a.json", threading.Event(), threading.Event()

    def write():
        with atomic_path(path) as beside:
            beside.write_text("whole")
            begun.set()
            go_on.wait(60)

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait(60)
    remove_leftovers(tmp_path)
    go_on.set()
    thread.join()
    assert path.read_text() == "whole"


def test_sha256_is_that_of_the_content(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_digest_is_worked_out_again_only_for_a_file_that_changed(tmp_path, monkeypatch):
    path, read = tmp_path / "weights.pt", []
    monkeypatch.setattr(files, "sha256", lambda path: read.append(path) or str(len(read)))
    path.write_bytes(b"one")
    assert files.content_digest(path) == files.content_digest(path) == "1"
    path.write_bytes(b"another")
    assert files.content_digest(path) == "2"
    assert len(read) == 2
