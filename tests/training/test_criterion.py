"""Losses against formulas written down anew, with numbers from the ordinary to the extreme."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch

from layerscope.config import parse_config
from layerscope.errors import DataError
from layerscope.training.criterion import build_loss, class_weights

COUNTS = torch.tensor([60, 25, 10, 5])
LABELS = torch.tensor([0, 3, 1, 1, 2, 0, 3])
LOSSES = {
    "mseloss": {},
    "smooth mse": {"loss": "mseloss", "label-smoothing": 0.2},
    "celoss": {"loss": "celoss"},
    "smooth": {"loss": "celoss", "label-smoothing": 0.1},
    "focal": {"loss": "focal"},
    "focal 0.5": {"loss": "focal", "gamma": 0.5},
    "logit-adjustment": {"loss": "logit_adjustment", "tau": 1.5},
    "balanced-softmax": {"loss": "balanced-softmax"},
    "smooth balanced": {"loss": "balanced-softmax", "label-smoothing": 0.3},
}


def settings(**keys):
    base = {"loss": "mseloss", "lr": 0.1, "epochs": 1, **keys}
    sections = {
        "Model": {"model-name": "mlp"},
        "Data": {"dataset-id": "digits"},
        "Logging": {"save-dir": "x"},
    }
    return parse_config({**sections, "Optimizer": base}).optimizer


def logits_of(scale):
    generator = torch.Generator().manual_seed(0)
    return scale * torch.randn(7, 4, dtype=torch.float64, generator=generator)


def log_softmax(row):
    """In extended precision, one sample at a time."""
    shifted = row.astype(np.longdouble) - row.max()
    return shifted - np.log(np.exp(shifted).sum())


def expected_of(keys, logits, weights=(1, 1, 1, 1)):
    """The mean over samples, straight from the papers' formulas."""
    config, counts = settings(**keys), COUNTS.numpy().astype(np.longdouble)
    total = np.longdouble(0)
    for row, label in zip(logits.numpy(), LABELS.tolist(), strict=True):
        smoothing = config.label_smoothing
        target = np.array([(1 - smoothing) * (k == label) + smoothing / 4 for k in range(4)])
        if config.loss == "mseloss":
            value = ((row - target) ** 2).sum() / 4
        elif config.loss == "focal":
            log_p = log_softmax(row)
            others = np.exp(log_p)[np.arange(4) != label].sum()
            value = -(others ** (2 if config.gamma is None else config.gamma)) * log_p[label]
        elif config.loss == "balanced-softmax":
            shifted = row.astype(np.longdouble) - row.max()
            log_q = np.log(counts) + shifted - np.log((counts * np.exp(shifted)).sum())
            value = -(target * log_q).sum()
        else:
            tau = config.tau if config.loss == "logit-adjustment" else 0
            value = -(target * log_softmax(row + tau * np.log(counts / counts.sum()))).sum()
        total += weights[label] * value
    return float(total / 7)


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
@pytest.mark.parametrize("keys", LOSSES.values(), ids=LOSSES)
def test_a_loss_is_what_its_formula_says(keys, scale):
    logits = logits_of(scale)
    value = build_loss(settings(**keys), COUNTS)(logits, LABELS, 4)
    assert value.item() == pytest.approx(expected_of(keys, logits), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize("keys", LOSSES.values(), ids=LOSSES)
def test_a_gradient_is_that_of_the_formula(keys):
    loss, logits = build_loss(settings(**keys), COUNTS), logits_of(1.0).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, LABELS, 4), (logits,))


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("keys", LOSSES.values(), ids=LOSSES)
def test_loss_and_gradient_stay_finite_at_logits_of_ten_thousand(keys, right):
    logits = torch.full((7, 4), -1e4)
    logits[torch.arange(7), LABELS if right else (LABELS + 1) % 4] = 1e4
    logits.requires_grad_()
    value = build_loss(settings(**keys), COUNTS)(logits, LABELS, 4)
    (gradient,) = torch.autograd.grad(value, logits)
    assert value.isfinite()
    assert gradient.isfinite().all()


def test_focal_loss_without_focus_is_cross_entropy():
    logits = logits_of(3.0)
    focal = build_loss(settings(loss="focal", gamma=0), COUNTS)(logits, LABELS, 4)
    entropy = build_loss(settings(loss="celoss"), COUNTS)(logits, LABELS, 4)
    assert focal.item() == pytest.approx(entropy.item(), rel=1e-14)


def test_balanced_softmax_is_logit_adjustment_with_weight_one():
    one, other = (
        build_loss(settings(loss=name), COUNTS)(logits_of(2.0), LABELS, 4)
        for name in ("balanced-softmax", "logit-adjustment")
    )
    assert one.item() == other.item()


def test_equal_classes_need_no_adjustment():
    logits, equal = logits_of(2.0), torch.full((4,), 7)
    entropy = build_loss(settings(loss="celoss"), equal)(logits, LABELS, 4)
    for keys in ({"loss": "balanced-softmax"}, {"loss": "celoss", "class-weights": "inverse"}):
        value = build_loss(settings(**keys), equal)(logits, LABELS, 4)
        assert value.item() == pytest.approx(entropy.item(), rel=1e-14)


def test_inverse_weights_make_every_class_count_the_same():
    weights = class_weights(settings(**{"class-weights": "inverse"}), COUNTS)
    by_hand = [float(Fraction(100, 4 * int(count))) for count in COUNTS]
    assert weights.tolist() == pytest.approx(by_hand, rel=1e-15)


@pytest.mark.parametrize("given", ["inverse", "sqrt-inverse", [1, 2, 3, 4]])
def test_weights_are_scaled_to_mean_one_over_the_training_samples(given):
    weights = class_weights(settings(**{"class-weights": given}), COUNTS)
    assert float(weights @ COUNTS.double()) == pytest.approx(100, rel=1e-14)


@pytest.mark.parametrize("keys", [{"loss": "mseloss"}, {"loss": "celoss"}, {"loss": "focal"}])
def test_weights_multiply_the_losses_of_their_classes(keys):
    weighted = {**keys, "class-weights": [4, 3, 2, 1]}
    weights = class_weights(settings(**weighted), COUNTS)
    value = build_loss(settings(**weighted), COUNTS)(logits_of(1.0), LABELS, 4)
    assert value.item() == pytest.approx(expected_of(keys, logits_of(1.0), weights.tolist()), rel=1e-12)


def test_a_weighted_loss_can_be_averaged_over_batches():
    loss, logits = build_loss(settings(**{"class-weights": "inverse"}), COUNTS), logits_of(1.0)
    parts = [loss(logits[part], LABELS[part], 4) * size for part, size in ((slice(3), 3), (slice(3, 7), 4))]
    assert loss(logits, LABELS, 4).item() == pytest.approx(sum(parts).item() / 7, rel=1e-14)


@pytest.mark.parametrize("keys", [{"loss": "balanced-softmax"}, {"class-weights": "inverse"}])
def test_a_class_without_samples_is_refused_where_its_frequency_is_needed(keys):
    with pytest.raises(DataError, match="1 of 4 have no training sample, the first is class 2"):
        build_loss(settings(**keys), torch.tensor([3, 2, 0, 1]))


def test_a_wrong_number_of_weights_is_refused():
    with pytest.raises(DataError, match="has 2 numbers, but the data has 4 classes"):
        build_loss(settings(**{"class-weights": [1, 2]}), COUNTS)
