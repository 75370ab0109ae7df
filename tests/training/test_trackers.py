from __future__ import annotations

import builtins
import sys
import types
from dataclasses import replace
from math import nan

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from layerscope.errors import UsageError
from layerscope.training import trackers
from layerscope.training.log import EpochRow
from layerscope.training.trackers import Trackers

ROW = EpochRow(0, nan, nan, 0.5, 0.75, nan, 0.0, nan)


@pytest.fixture
def make(tmp_path, config_of):
    return lambda names: Trackers(names, tmp_path / "run", "a run", config_of())


def scalars(folder, name):
    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def test_tensorboard_writes_event_files_with_every_finite_number(make, tmp_path):
    tracker = make(["tensorboard"])
    tracker.log(0, ROW)
    tracker.log(1, replace(ROW, epoch=1, train_loss=0.25, test_accuracy=0.875, lr=0.5))
    tracker.close()
    assert list((tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*"))
    assert scalars(tmp_path / "run", "test_accuracy") == [(0, 0.75), (1, 0.875)]
    assert scalars(tmp_path / "run", "train_loss") == [(1, 0.25)]


def test_a_resumed_run_replaces_the_epochs_it_does_again(make, tmp_path):
    for first, value in ((0, 0.25), (2, 0.5)):  # the first process was killed after epoch 3
        tracker = make(["tensorboard"])
        for epoch in range(first, 4):
            tracker.log(epoch, replace(ROW, epoch=epoch, test_loss=value))
        tracker.close()
    assert scalars(tmp_path / "run", "test_loss") == [(0, 0.25), (1, 0.25), (2, 0.5), (3, 0.5)]


def test_nothing_is_opened_before_the_first_row(make, tmp_path):
    make(["tensorboard"]).close()
    assert not (tmp_path / "run").exists()


class Recorder:
    """A tracker that fails at a chosen call."""

    def __init__(self, fail_at):
        self.fail_at = fail_at
        self.calls = []

    def __call__(self, run):
        return self.note("open") or self

    def log(self, epoch, values):
        self.note(f"log {epoch}")

    def close(self):
        self.note("close")

    def note(self, call):
        self.calls.append(call)
        if call == self.fail_at:
            raise ConnectionError("server gone")


@pytest.mark.parametrize(
    ("fail_at", "calls"),
    [
        ("open", ["open"]),
        ("log 1", ["open", "log 0", "log 1"]),
        ("close", ["open", "log 0", "log 1", "log 2", "close"]),
    ],
)
def test_a_failing_tracker_is_dropped_with_one_warning_and_the_others_go_on(
    make, monkeypatch, caplog, fail_at, calls
):
    failing, healthy = Recorder(fail_at), Recorder(None)
    monkeypatch.setattr(trackers, "TRACKERS", {"wandb": failing, "tensorboard": healthy})
    both = make(["wandb", "tensorboard"])
    for epoch in range(3):
        both.log(epoch, ROW)
    both.close()
    both.close()
    assert failing.calls == calls
    assert healthy.calls == ["open", "log 0", "log 1", "log 2", "close"]
    assert caplog.messages == ["wandb failed and is left out from now on: server gone"]


def test_an_unknown_tracker_is_an_error_with_the_nearest_known_one(make):
    with pytest.raises(UsageError, match="unknown tracker 'tensorbord'; did you mean 'tensorboard'"):
        make(["tensorbord"]).log(0, ROW)


def test_a_tracker_that_is_not_installed_is_named_with_its_package(make, monkeypatch, caplog):
    importing = builtins.__import__

    def without_wandb(name, *rest):
        if name == "wandb":
            raise ModuleNotFoundError("No module named 'wandb'")
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_wandb)
    make(["wandb"]).log(0, ROW)
    assert caplog.messages == [
        "wandb failed and is left out from now on: No module named 'wandb' (pip install wandb)"
    ]


def test_wandb_resumes_the_run_named_by_the_config_hash(make, monkeypatch, config_of, tmp_path):
    opened, logged = {}, []
    run = types.SimpleNamespace(log=lambda values, step: logged.append((step, values)), finish=lambda: None)
    fake = types.SimpleNamespace(init=lambda **keys: opened.update(keys) or run)
    monkeypatch.setitem(sys.modules, "wandb", fake)
    monkeypatch.setenv("WANDB_PROJECT", "collapse")
    tracker = make(["wandb"])
    tracker.log(3, ROW)
    tracker.close()
    assert opened["id"] == config_of().hash
    assert opened["resume"] == "allow"
    assert (opened["project"], opened["name"], opened["dir"]) == ("collapse", "a run", str(tmp_path / "run"))
    assert opened["config"]["Optimizer"]["lr"] == 0.05
    assert logged == [(3, {"test_loss": 0.5, "test_accuracy": 0.75, "seconds": 0.0})]
