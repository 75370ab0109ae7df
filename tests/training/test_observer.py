"""Gradient norms and activations while training: the numbers, and that watching changes nothing."""

from __future__ import annotations

import csv
import itertools
import math

import pytest
import torch
from torch import nn

from layerscope.errors import DamagedFile
from layerscope.features.layers import select_modules
from layerscope.training.observation_log import HEADER, ObservationLog, tracked
from layerscope.training.observer import Observer, over_steps
from layerscope.training.records import Records

BOTH = ("gradient-norm", "activations")


def rows(log):
    with log.path.open() as stream:
        return list(csv.DictReader(stream))


def watched(bench, per="epoch", names=BOTH, **options):
    model = bench.model()
    log = ObservationLog(bench.folder / "observations.csv", per)
    observer = Observer(names, select_modules(model, ["fc"]), "input")
    outcome = bench.train(model, observer=observer, observations=log, **options)
    observer.close()
    return outcome, log


def test_activations_are_those_of_the_batches_of_training():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    observer, batches = Observer(BOTH, {"relu": model[1]}, "output"), [torch.randn(6, 4), torch.randn(2, 4)]
    outputs = []
    for batch in batches:
        outputs.append(model(batch).detach())
        observer.end_step(torch.tensor(2.0 * len(batch)))
    model.eval()
    model(batches[0])
    observed = observer.take()
    together = torch.cat(outputs).double()
    assert over_steps(observed["activations/relu"]) == {
        "mean": pytest.approx(together.mean().item(), rel=1e-6),
        "std": pytest.approx(together.std(correction=0).item(), rel=1e-6),
        "min": together.min().item(),
        "max": together.max().item(),
    }
    assert over_steps(observed["gradient_norm"]) == {"mean": 8, "std": 4, "min": 4, "max": 12}
    assert observer.take() == {}


def test_a_module_that_is_called_twice_has_two_series():
    layer = nn.Linear(3, 3)
    observer = Observer(["activations"], {"layer": layer, "its other name": layer})
    layer(layer(torch.ones(2, 3)))
    observer.end_step(None)
    assert set(observer.take()) == {"activations/layer", "activations/layer@2"}


def test_watching_changes_no_bit(workbench):
    plain, bench = workbench("plain"), workbench("watched")
    plain.train()
    watched(bench)
    assert bench.result() == plain.result()


def test_gradient_norms_are_those_of_the_steps_before_they_are_clipped(workbench):
    free, clipped = workbench("free"), workbench("clipped", Optimizer={"clip-grad-norm": 1e-3})
    _, log = watched(free, "step", ["gradient-norm"])
    _, other = watched(clipped, "step", ["gradient-norm"])
    first, its = rows(log)[0], rows(other)[0]
    place = [first[name] for name in ("epoch", "step", "quantity", "layer_name", "statistic")]
    assert place == ["1", "1", "gradient_norm", "", "value"]
    assert float(first["value"]) == pytest.approx(float(its["value"]), rel=1e-6)
    assert float(first["value"]) > 1e-3
    assert len(rows(log)) == 3 * 4


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_interrupted_runs_leave_the_same_rows_once_each(workbench, per):
    whole, parted = workbench("whole"), workbench("parted")
    _, log = watched(whole, per)
    for stop in (8, 11, 7, 2):  # in an epoch, in the evaluation after one, and again
        asked = itertools.count()
        outcome, _ = watched(parted, per, should_stop=lambda asked=asked, stop=stop: next(asked) >= stop)
        assert outcome == "stopped"
    _, other = watched(parted, per)
    assert other.path.read_bytes() == log.path.read_bytes()
    layers = {row["layer_name"] for row in rows(log)}
    assert layers == {"", "block0.fc", "block1.fc", "block2.fc", "block3.fc", "fc"}


def test_a_kill_before_the_resume_point_leaves_no_row_twice(workbench, monkeypatch):
    whole, killed = workbench("whole"), workbench("killed")
    _, log = watched(whole)
    save = Records._save_resume

    def dies_at_epoch_two(records, finished, part=None):
        if finished == 2:
            raise KeyboardInterrupt
        save(records, finished, part)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Records, "_save_resume", dies_at_epoch_two)
        watched(killed)
    left = ObservationLog(killed.folder / "observations.csv")
    assert {row["epoch"] for row in rows(left)} == {"1", "2"}
    watched(killed)
    assert left.path.read_bytes() == log.path.read_bytes()


def test_trackers_get_the_numbers_of_the_epoch():
    norms = {"gradient_norm": torch.tensor([3.0, 5.0], dtype=torch.float64)}
    assert tracked(norms) == {
        "gradient_norm/mean": 4,
        "gradient_norm/std": 1,
        "gradient_norm/min": 3,
        "gradient_norm/max": 5,
    }


def test_nothing_is_written_when_nothing_is_observed(workbench):
    bench = workbench()
    watched(bench, names=())
    assert not (bench.folder / "observations.csv").exists()


def test_numbers_that_are_not_finite_are_spelled(tmp_path):
    log = ObservationLog(tmp_path / "observations.csv", "step")
    log.append(1, {"gradient_norm": torch.tensor([math.inf, math.nan])})
    assert [row["value"] for row in rows(log)] == ["inf", "nan"]


@pytest.mark.parametrize("content", ["a,b\n1,2\n", HEADER + "1,,gradient_norm,,mean,2.0", HEADER + "x,\n"])
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "observations.csv"
    path.write_text(content)
    with pytest.raises(DamagedFile, match=r"observations\.csv"):
        ObservationLog(path).truncate_after(0)
