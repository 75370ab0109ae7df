"""The code as it was submitted: copied once, whole or not at all, and known by its content."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from layerscope.errors import StorageError
from layerscope.files import temporary
from layerscope.launch.errors import LaunchError
from layerscope.launch.submission import snapshot as module
from layerscope.launch.submission.snapshot import take_snapshot, verify_snapshot
from layerscope.source import package_files, source_digest


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    source_digest.cache_clear()
    yield folder
    source_digest.cache_clear()


def test_a_snapshot_holds_the_package_and_says_where_it_comes_from(tmp_path, working_folder):
    taken = take_snapshot(tmp_path / "base")
    assert taken.path == tmp_path / "base" / "jobs" / "code" / taken.digest
    for name, path in package_files().items():
        assert (taken.path / name).read_bytes() == path.read_bytes()
    record = json.loads((taken.path / "snapshot.json").read_bytes())
    assert record["digest"] == taken.digest
    assert record["modules"] == source_digest()
    assert record["python"] == ".".join(map(str, sys.version_info[:3]))
    libraries = (taken.path / "libraries.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in libraries if line.startswith("pydantic==")]
    if record["git"] and record["git"]["dirty"]:
        assert (taken.path / "changes.diff").exists()


def test_python_runs_the_copy_and_not_the_original(tmp_path, working_folder):
    (working_folder / "my_net.py").write_text("PLACE = __file__\n", encoding="utf-8")
    taken = take_snapshot(tmp_path / "base", ["my_net:build", "mlp"])
    (working_folder / "my_net.py").write_text("PLACE = 'edited'\n", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(taken.path), "PYTHONSAFEPATH": "1"}
    code = "import layerscope.source, my_net; print(layerscope.source.PACKAGE, my_net.PLACE)"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert answer.stdout.split() == [str(taken.path / "layerscope"), str(taken.path / "my_net.py")]
    verify_snapshot(taken.path, taken.digest)  # Python's caches beside the code are no part of it


def test_unchanged_code_is_copied_once(tmp_path, working_folder, monkeypatch):
    first = take_snapshot(tmp_path)
    monkeypatch.setattr(module, "_write", None)
    assert take_snapshot(tmp_path) == first


def test_changed_code_is_another_snapshot(tmp_path, working_folder):
    (working_folder / "my_net.py").write_text("x = 1\n", encoding="utf-8")
    one = take_snapshot(tmp_path, ["my_net:build"])
    (working_folder / "my_net.py").write_text("x = 2\n", encoding="utf-8")
    other = take_snapshot(tmp_path, ["my_net:build"])
    assert one.digest != other.digest
    assert (one.path / "my_net.py").read_text(encoding="utf-8") == "x = 1\n"


@pytest.mark.parametrize("name", ["layerscope/cli.py", "layerscope/new.py"])
def test_a_snapshot_that_was_touched_is_refused(tmp_path, working_folder, name):
    taken = take_snapshot(tmp_path)
    (taken.path / name).write_text("x = 1\n", encoding="utf-8")
    with pytest.raises(LaunchError, match="does not hold the code that was submitted"):
        verify_snapshot(taken.path, taken.digest)
    with pytest.raises(LaunchError, match="Delete the folder and submit again"):
        take_snapshot(tmp_path)


def test_a_snapshot_that_is_gone_is_told(tmp_path):
    with pytest.raises(LaunchError, match="is gone, or empty"):
        verify_snapshot(tmp_path / "none", "0" * 16)


def test_half_a_snapshot_never_has_its_name(tmp_path, working_folder, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, "_describe", killed)
        with pytest.raises(KeyboardInterrupt):
            take_snapshot(tmp_path)
    assert list((tmp_path / "jobs" / "code").iterdir()) == []
    taken = take_snapshot(tmp_path)
    assert [path.name for path in taken.path.parent.iterdir()] == [taken.digest]


def test_of_two_at_once_the_first_one_stays(tmp_path, working_folder, monkeypatch):
    describe = module._describe

    def overtaken(folder, digest, named):
        describe(folder, digest, named)
        shutil.copytree(folder, folder.parent / digest)

    monkeypatch.setattr(module, "_describe", overtaken)
    taken = take_snapshot(tmp_path)
    verify_snapshot(taken.path, taken.digest)
    assert [path.name for path in taken.path.parent.iterdir()] == [taken.digest]


def test_leftovers_of_a_killed_process_of_the_same_number_are_no_part_of_it(tmp_path, working_folder):
    taken = take_snapshot(tmp_path)
    taken.path.rename(temporary(taken.path))
    (temporary(taken.path) / "half.py").write_text("", encoding="utf-8")
    verify_snapshot(take_snapshot(tmp_path).path, taken.digest)


def test_a_place_where_nothing_can_be_written_is_told(tmp_path, working_folder):
    (tmp_path / "jobs").write_text("a file", encoding="utf-8")
    with pytest.raises(StorageError, match="cannot write"):
        take_snapshot(tmp_path)
