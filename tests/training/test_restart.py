from __future__ import annotations

import itertools
import subprocess
from pathlib import Path

import pytest

from layerscope.errors import DamagedFile, ModelError, RunFolderError, StorageError
from layerscope.training.resume import ResumePoint


class Killed(BaseException):
    """Stands for a kill: nothing may catch it."""


@pytest.fixture
def whole(workbench):
    bench = workbench("whole", Optimizer={"epochs": 2}, Logging={"log-epochs": [0, 1, 2]})
    bench.train()
    return bench.result()


@pytest.fixture
def parted(workbench):
    return workbench("parted", Optimizer={"epochs": 2}, Logging={"log-epochs": [0, 1, 2]})


def interrupt(bench, monkeypatch, rename):
    """Train until the given rename of a file, and die just before it."""
    real, count = Path.replace, itertools.count()

    def replace(path, target):
        if next(count) == rename:
            raise Killed
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        try:
            bench.train()
        except Killed:
            return True
    return False


def test_a_death_before_any_rename_of_any_file_changes_nothing(whole, parted, monkeypatch):
    """Three epochs make 17 renames: checkpoint, manifest, log, old and new resume point, position."""
    deaths = 0
    for rename in range(25):
        if not interrupt(parted, monkeypatch, rename):
            break
        deaths += 1
        parted.train()
        assert parted.result() == whole
        for path in (*parted.store.folder.iterdir(), parted.log.path):
            path.unlink()
    assert deaths == 17


def test_a_damaged_resume_point_costs_one_epoch_and_changes_nothing(whole, parted, caplog):
    parted.train()
    parted.store.resume_path.write_bytes(b"torn")
    parted.train()
    assert parted.result() == whole
    assert "damaged file" in caplog.text


def test_without_any_resume_point_training_starts_again(whole, parted, caplog):
    parted.train()
    parted.store.resume_path.write_bytes(b"torn")
    parted.store.previous_resume_path.unlink()
    parted.train()
    assert parted.result() == whole
    assert "no intact resume point is left" in caplog.text


@pytest.mark.parametrize("harm", [lambda path: path.unlink(), lambda path: path.write_bytes(b"cut")])
def test_a_lost_checkpoint_is_trained_again_from_the_start(whole, parted, caplog, harm):
    parted.train()
    harm(parted.store.folder / "epoch_0001.safetensors")
    parted.train()
    assert parted.result() == whole
    assert "lacks intact checkpoints of epochs 1: training starts again" in caplog.text


def test_a_lost_manifest_is_made_again(whole, parted):
    parted.train()
    parted.store.manifest.path.unlink()
    parted.train()
    assert parted.result() == whole


def test_a_garbled_manifest_stops_training_and_is_named(parted):
    parted.train()
    parted.store.manifest.path.write_text("{")
    with pytest.raises(DamagedFile, match=r"manifest\.json"):
        parted.train()


def test_what_killed_processes_left_is_removed(parted):
    parted.store.folder.mkdir(parents=True)
    leftover = parted.store.folder / ".resume.pt.123.tmp"
    leftover.write_bytes(b"half")
    parted.train()
    assert not leftover.exists()


def test_a_lost_log_is_begun_again_with_a_warning(parted, caplog):
    parted.train()
    parted.log.path.unlink()
    parted.train()
    assert "lacks 3 of the epochs up to 2" in caplog.text


def test_a_folder_of_another_config_is_refused(parted, workbench):
    parted.train()
    other = workbench("parted", Optimizer={"epochs": 2, "lr": 0.06}, Logging={"log-epochs": [0, 1, 2]})
    before = parted.result()
    with pytest.raises(
        RunFolderError, match=f"hash {parted.config.hash}, but this config has {other.config.hash}"
    ):
        other.train()
    assert parted.result() == before


def test_a_model_whose_code_has_changed_is_refused(parted, workbench):
    parted.train()
    wider = workbench("other", Model={"model-name": "mlp_single"}).model()
    with pytest.raises(ModelError, match=r"does not fit the model: .*The model's code has changed"):
        parted.train(wider)


def test_a_disk_that_fills_up_stops_the_run_and_more_room_lets_it_finish(whole, workbench, small_disk):
    bench = workbench(small_disk.name, Optimizer={"epochs": 2}, Logging={"log-epochs": [0, 1, 2]})
    with pytest.raises(StorageError, match=r"No space left on device \(.* MiB free\)"):
        bench.train()
    saved = bench.store.manifest.epochs()
    assert saved
    for epoch in saved:
        bench.store.load(epoch)
    assert ResumePoint.read(bench.store.resume_path).epoch >= 0
    assert not list(bench.folder.rglob("*.tmp"))

    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    assert bench.train() == "finished"
    assert bench.result() == whole
