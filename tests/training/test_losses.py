from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from layerscope.training.criterion import LOSSES
from layerscope.training.losses import celoss, mseloss


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(7, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    return logits, torch.tensor([0, 3, 1, 1, 2, 0, 3])


def test_mseloss_is_the_mean_over_all_entries_of_the_distance_to_one_hot(batch):
    logits, labels = batch
    by_hand = sum((logits[i, k] - float(labels[i] == k)) ** 2 for i in range(7) for k in range(4)) / (7 * 4)
    assert mseloss(logits, labels, 4).item() == pytest.approx(by_hand.item(), rel=1e-14)


def test_mseloss_and_its_gradient_are_those_of_torch(batch):
    logits, labels = batch
    theirs = torch.nn.MSELoss()(logits, F.one_hot(labels, 4).double())
    ours = mseloss(logits, labels, 4)
    assert torch.equal(torch.autograd.grad(ours, logits)[0], torch.autograd.grad(theirs, logits)[0])
    assert torch.equal(ours, theirs)


def test_mseloss_of_perfect_logits_is_zero():
    labels = torch.tensor([2, 0])
    assert mseloss(F.one_hot(labels, 3).float(), labels, 3).item() == 0.0


def test_celoss_is_the_mean_negative_log_probability_in_nats(batch):
    logits, labels = batch
    probabilities = logits.exp() / logits.exp().sum(1, keepdim=True)
    by_hand = -probabilities[range(7), labels].log().mean()
    assert celoss(logits, labels, 4).item() == pytest.approx(by_hand.item(), rel=1e-12)


def test_celoss_of_equal_logits_is_the_log_of_the_number_of_classes():
    value = celoss(torch.zeros(5, 10, dtype=torch.float64), torch.arange(5), 10).item()
    assert value == pytest.approx(2.302585092994046, rel=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_a_differentiable_scalar(name, batch):
    logits, labels = batch
    loss = LOSSES[name](logits, labels, 4)
    assert loss.shape == ()
    assert torch.autograd.grad(loss, logits)[0].abs().sum() > 0
