from __future__ import annotations

import pytest
import torch

from layerscope.config import OptimizerConfig
from layerscope.training.schedules import learning_rate, milestones


def settings(**keys):
    return OptimizerConfig.model_validate({"lr": 0.4, "epochs": 350, **keys}, by_name=True, strict=False)


def test_three_parts_mean_two_decays_at_thirds_of_training():
    config = settings(lr_decay_steps=3)
    assert milestones(config) == [116, 233]
    rates = [learning_rate(config, epoch) for epoch in (0, 115.999, 116, 232.5, 233, 349.9)]
    assert rates == pytest.approx([0.4, 0.4, 0.04, 0.04, 0.004, 0.004], rel=1e-12)


def test_a_list_gives_the_epochs_and_the_factor_is_free():
    config = settings(lr_decay_steps=(100, 200), lr_decay=0.5)
    assert [learning_rate(config, epoch) for epoch in (99, 100, 199, 200)] == [0.4, 0.2, 0.2, 0.1]


@pytest.mark.parametrize(("parts", "epochs", "expected"), [(1, 10, []), (4, 3, [1, 2]), (9, 1, [])])
def test_more_parts_than_epochs_never_decay_before_the_first_step(parts, epochs, expected):
    assert milestones(settings(lr_decay_steps=parts, epochs=epochs)) == expected


def test_constant_never_changes():
    assert {learning_rate(settings(schedule="constant"), epoch / 7) for epoch in range(350 * 7)} == {0.4}


def test_cosine_is_that_of_torch():
    config = settings(schedule="cosine", epochs=20)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for epoch in range(20):
        assert learning_rate(config, epoch) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        theirs.step()
    assert learning_rate(config, 20) == pytest.approx(0, abs=1e-17)


def test_warm_up_rises_in_equal_steps_and_its_last_step_has_the_full_rate():
    config = settings(warmup_epochs=2.0)
    steps = 5
    rates = [learning_rate(config, k / steps, 1 / steps) for k in range(12)]
    expected = [0.4 * (k + 1) / 10 for k in range(10)] + [0.4, 0.4]
    assert rates == pytest.approx(expected, rel=1e-12)


def test_cosine_falls_from_the_end_of_warm_up():
    config = settings(schedule="cosine", epochs=12, warmup_epochs=2)
    assert learning_rate(config, 2) == pytest.approx(0.4)
    assert learning_rate(config, 7) == pytest.approx(0.2)
    assert learning_rate(config, 12) == pytest.approx(0, abs=1e-17)


def test_training_may_be_warm_up_to_its_end():
    config = settings(schedule="cosine", epochs=2, warmup_epochs=2)
    assert learning_rate(config, 1.0) == pytest.approx(0.2)
    assert learning_rate(config, 1.5, 0.5) == pytest.approx(0.4)
