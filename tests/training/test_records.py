"""The best checkpoint by validation: which one it is, and that no interruption changes that."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import torch

from layerscope.training.resume import ResumePoint

FLUCTUATING = {
    "Model": {"model-name": "mlp_linear"},
    "Data": {"validation": 0.2, "subset": 64, "batch-size": 32},
    "Optimizer": {"epochs": 3, "lr": 0.5, "loss": "celoss", "schedule": "constant"},
    "Logging": {"keep-best": True, "log-epochs": [0]},
}


class Killed(BaseException):
    """Stands for a kill: nothing may catch it."""


@pytest.fixture
def best(workbench):
    """A run whose best epoch on the validation split is neither its last nor one that is due."""
    bench = workbench("best", **FLUCTUATING)
    bench.train()
    return bench


def best_row(bench):
    return max(bench.log.rows(), key=lambda row: (row.validation_accuracy, -row.validation_loss, -row.epoch))


def test_the_best_epoch_on_the_validation_split_is_kept_and_the_outdone_ones_are_not(best):
    row = best_row(best)
    assert 0 < row.epoch < 3
    assert best.store.manifest.best() == row.epoch
    assert best.store.manifest.entry(row.epoch).score == (row.validation_accuracy, -row.validation_loss)
    assert best.store.manifest.epochs() == (0, row.epoch, 3)
    kept = sorted(path.name for path in best.store.folder.glob("*.safetensors"))
    assert kept == [f"epoch_{epoch:04d}.safetensors" for epoch in (0, row.epoch, 3)]


def test_the_best_checkpoint_has_the_weights_of_its_epoch(best, workbench):
    every = workbench("every", **{**FLUCTUATING, "Logging": {"log-epochs": [0, 1, 2, 3]}})
    every.train()
    epoch = best.store.manifest.best()
    there, here = (bench.store.load(epoch) for bench in (every, best))
    assert all(torch.equal(there[key], here[key]) for key in there)


def test_the_logged_validation_numbers_are_those_of_the_saved_weights(best):
    model, row = best.model(), best_row(best)
    best.store.load_into(model, row.epoch)
    split = best.data.validation
    (images, labels) = next(split.batches(len(split)))
    decided = model.eval()(images).argmax(dim=1)
    assert row.validation_accuracy == (decided == labels).double().mean().item()


def interrupt(bench, monkeypatch, change):
    """Train until the given rename or removal of a file, and die just before it."""
    count = itertools.count()

    def dying(real):
        def step(path, *arguments, **options):
            if next(count) == change:
                raise Killed
            return real(path, *arguments, **options)

        return step

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, dying(getattr(Path, name)))
        try:
            bench.train()
        except Killed:
            return True
    return False


def test_a_death_before_a_change_of_any_file_keeps_the_same_best(best, workbench, monkeypatch):
    """Every third of some 30 changes: log, checkpoint, manifest, resume points, position, removals."""
    parted, whole, deaths = workbench("parted", **FLUCTUATING), best.result(), 0
    while interrupt(parted, monkeypatch, 3 * deaths):
        deaths += 1
        parted.train()
        assert parted.result() == whole
        for path in (*parted.store.folder.iterdir(), parted.log.path):
            path.unlink()
    assert deaths > 8


def test_a_damaged_resume_point_still_finds_the_best_of_its_time(best, workbench):
    for stop in (2, 3):
        parted = workbench(f"stopped {stop}", **FLUCTUATING)
        parted.train(should_stop=lambda parted=parted, stop=stop: len(parted.log.rows()) > stop)
        parted.store.resume_path.write_bytes(b"damaged")
        older = ResumePoint.read(parted.store.previous_resume_path).epoch
        assert not parted.store.manifest.missing([parted.store.manifest.best(older)])
        parted.train()
        assert parted.result() == best.result()


def test_a_lost_best_checkpoint_is_trained_again(best, caplog):
    whole = best.result()
    epoch = best.store.manifest.best()
    (best.store.folder / best.store.manifest.entry(epoch).file).unlink()
    best.train()
    assert f"lacks intact checkpoints of epochs {epoch}: training starts again" in caplog.text
    assert best.result() == whole
