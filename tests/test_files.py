"""Files are never torn, and a full disk says so."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from layerscope.errors import RunFolderError, StorageError
from layerscope.files import atomic_path, exclusive, remove_leftovers, sha256, write_atomic, write_json


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


def test_sha256_is_that_of_the_content(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    assert sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_folder_held_by_another_process_is_refused_with_its_name(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from layerscope.files import exclusive\n"
        "with exclusive(Path(sys.argv[1])):\n    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with (
                pytest.raises(RunFolderError, match=f"in use by process {holder.pid} on "),
                exclusive(tmp_path),
            ):
                pass
        finally:
            holder.kill()
    deadline = time.monotonic() + 10
    while not _is_free(tmp_path):  # the kernel frees the lock when it has buried the process
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_free(folder):
    try:
        with exclusive(folder):
            return True
    except RunFolderError:
        return False
