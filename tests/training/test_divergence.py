from __future__ import annotations

import re
from math import inf, nan

import pytest
import torch

from layerscope.errors import TrainingDiverged
from layerscope.training.divergence import check_losses, check_result
from layerscope.training.log import EpochRow
from layerscope.training.resume import ResumePoint
from layerscope.training.tally import Tally


def tally_of(*losses):
    tally = Tally()
    for loss in losses:
        tally.add(torch.tensor(loss), torch.zeros(2, 2), torch.zeros(2, dtype=torch.int64))
    return tally.counts()


@pytest.fixture
def diverging(workbench):
    sections = {"Optimizer": {"lr": 1e18, "epochs": 6, "warmup-epochs": 4.0, "loss": "mseloss"}}
    return workbench("diverging", Model={"model-name": "mlp_small_nobn"}, **sections)


def test_a_huge_learning_rate_ends_with_epoch_step_rate_and_the_last_good_checkpoint(diverging):
    with pytest.raises(TrainingDiverged) as caught:
        diverging.train()
    message = str(caught.value)
    assert re.match(r"epoch 1, step \d of 4 \(batch of 64\): the loss is (inf|nan) at lr \d\S+\. ", message)
    assert f"The last good checkpoint is {diverging.store.folder / 'epoch_0000.safetensors'}" in message
    assert message.endswith("Lower Optimizer.lr or set Optimizer.clip-grad-norm.")


def test_what_was_good_before_stays(diverging):
    with pytest.raises(TrainingDiverged):
        diverging.train()
    assert diverging.store.manifest.epochs() == (0,)
    assert all(torch.isfinite(weights).all() for weights in diverging.store.load(0).values())
    point = ResumePoint.read(diverging.store.resume_path)
    assert point.epoch == 0
    assert all(torch.isfinite(weights).all() for weights in point.model.values())
    assert [row.epoch for row in diverging.log.rows()] == [0]


def test_running_again_diverges_at_the_same_step(diverging):
    messages = []
    for _ in range(2):
        with pytest.raises(TrainingDiverged) as caught:
            diverging.train()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(("loss", "spelled"), [(nan, "nan"), (inf, "inf"), (-inf, "-inf")])
def test_the_first_broken_step_is_named_with_its_own_rate(config_of, workbench, loss, spelled):
    config = config_of(Optimizer={"lr": 0.8, "epochs": 6, "warmup-epochs": 2.0})
    expected = rf"epoch 2, step 2 of 4 \(batch of 2\): the loss is {spelled} at lr 0\.6\. No checkpoint"
    with pytest.raises(TrainingDiverged, match=expected):
        check_losses(config, 2, 4, tally_of(1.0, loss, 2.0, nan), workbench().store)


def test_finite_losses_pass(config_of, workbench):
    check_losses(config_of(), 2, 2, tally_of(1.0, 1e30), workbench().store)


def row(epoch=4, test_loss=1.0):
    return EpochRow(epoch, 1.0, 0.5, test_loss, 0.5, 0.05, 1.0, 1.0)


def test_weights_broken_by_the_last_update_are_found(workbench):
    bench = workbench()
    model = bench.model()
    check_result(row(), model, bench.store)
    with torch.no_grad():
        model.fc.weight[0, 0] = inf
    expected = (
        r"epoch 4, after its last step, at lr 0\.05: 1 of the model's parameters .* the first is fc\.weight"
    )
    with pytest.raises(TrainingDiverged, match=expected):
        check_result(row(), model, bench.store)


def test_a_test_loss_that_is_no_number_is_found(workbench):
    bench = workbench()
    with pytest.raises(TrainingDiverged, match=r"at lr 0\.05: the test loss is nan"):
        check_result(row(test_loss=nan), bench.model(), bench.store)
    with pytest.raises(TrainingDiverged, match=r"epoch 0, before the first step: the test loss is inf"):
        check_result(row(epoch=0, test_loss=inf), bench.model(), bench.store)
