from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from layerscope.config import OptimizerConfig
from layerscope.errors import ModelError
from layerscope.training import optimizers
from layerscope.training.optimizers import OPTIMIZERS, build_optimizer, restore_state, set_learning_rate


def settings(**keys):
    return OptimizerConfig.model_validate(
        {"lr": 0.01, "epochs": 1, "weight_decay": 0.01, **keys}, by_name=True
    )


def small_network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 5)
        )


IMAGES = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def take_steps(model, optimizer, count):
    for _ in range(count):
        optimizer.zero_grad()
        model(IMAGES).square().mean().backward()
        optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    "keys", [{"optimizer": name} for name in OPTIMIZERS] + [{"nesterov": True}, {"momentum": 0.0}]
)
def test_the_fused_form_equals_the_plain_one_to_rounding(keys, memory_format):
    config = settings(**keys)
    model, twin = (small_network().to(memory_format=memory_format) for _ in range(2))
    ours = build_optimizer(config, model)
    build, own = OPTIMIZERS[config.optimizer]
    plain = build(twin.parameters(), lr=0.01, weight_decay=0.01, foreach=False, **own(config))
    torch.testing.assert_close(take_steps(model, ours, 10), take_steps(twin, plain, 10), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_the_fused_form_is_used_where_torch_has_it(name):
    assert build_optimizer(settings(optimizer=name), small_network()).param_groups[0]["fused"] is True


@pytest.mark.parametrize(
    "error", [TypeError("no fused"), RuntimeError("not on this device"), ValueError("x")]
)
def test_without_a_fused_form_the_plain_one_is_built(monkeypatch, error):
    def older_torch(parameters, fused=False, **keys):
        if fused:
            raise error
        return torch.optim.SGD(parameters, **keys)

    entry = (older_torch, OPTIMIZERS["sgd"][1])
    monkeypatch.setitem(optimizers.OPTIMIZERS, "sgd", entry)
    optimizer = build_optimizer(settings(), small_network())
    assert optimizer.param_groups[0]["fused"] is None
    assert optimizer.param_groups[0]["momentum"] == 0.9


def test_the_settings_of_the_config_arrive():
    group = build_optimizer(settings(nesterov=True, momentum=0.8), small_network()).param_groups[0]
    chosen = ("lr", "weight_decay", "momentum", "nesterov")
    assert [group[key] for key in chosen] == [0.01, 0.01, 0.8, True]
    group = build_optimizer(settings(optimizer="adamw", betas=(0.8, 0.99)), small_network()).param_groups[0]
    assert group["betas"] == (0.8, 0.99)
    group = build_optimizer(settings(optimizer="rmsprop", momentum=0.7), small_network()).param_groups[0]
    assert group["momentum"] == 0.7


def test_frozen_parameters_are_left_alone():
    model = small_network()
    model[0].requires_grad_(False)
    optimizer = build_optimizer(settings(), model)
    assert len(optimizer.param_groups[0]["params"]) == 4


def test_a_model_without_trainable_parameters_is_refused():
    with pytest.raises(ModelError, match="no trainable parameters"):
        build_optimizer(settings(), nn.Flatten())


def test_the_learning_rate_can_be_set_for_the_next_step():
    model = small_network()
    optimizer = build_optimizer(settings(), model)
    set_learning_rate(optimizer, 0.0)
    before = copy.deepcopy(model.state_dict()["4.weight"])
    take_steps(model, optimizer, 1)
    assert torch.equal(model.state_dict()["4.weight"], before)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_restored_momenta_continue_bit_for_bit(name, memory_format):
    config = settings(optimizer=name)
    model = small_network().to(memory_format=memory_format)
    optimizer = build_optimizer(config, model)
    take_steps(model, optimizer, 3)
    twin = copy.deepcopy(model)
    again = build_optimizer(config, twin)
    restore_state(again, copy.deepcopy(optimizer.state_dict()["state"]))
    assert torch.equal(take_steps(model, optimizer, 3), take_steps(twin, again, 3))
