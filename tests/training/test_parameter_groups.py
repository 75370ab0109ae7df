from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn

from layerscope.config import parse_config
from layerscope.errors import ModelError
from layerscope.training.optimizers import build_optimizer, set_learning_rate
from layerscope.training.parameter_groups import lr_factors


def settings(**keys):
    sections = {
        "Model": {"model-name": "mlp"},
        "Data": {"dataset-id": "digits"},
        "Logging": {"save-dir": "x"},
    }
    return parse_config({**sections, "Optimizer": {"lr": 1.0, "epochs": 1, **keys}}).optimizer


def network():
    block = OrderedDict(fc=nn.Linear(4, 4), norm=nn.BatchNorm1d(4))
    return nn.Sequential(OrderedDict(block=nn.Sequential(block), fc=nn.Linear(4, 2)))


def moved(optimizer, model):
    """How far one step of plain gradient descent (all gradients 1, all weights 1) takes each parameter."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1.0)
            parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    return {name: 1 - parameter.detach().flatten()[0].item() for name, parameter in model.named_parameters()}


def test_weight_decay_reaches_every_parameter_unless_told_otherwise():
    model = network()
    optimizer = build_optimizer(settings(**{"weight-decay": 0.5, "momentum": 0}), model)
    assert set(moved(optimizer, model).values()) == {1.5}


def test_decay_of_weights_spares_biases_and_normalisations():
    model = network()
    optimizer = build_optimizer(settings(**{"weight-decay": 0.5, "momentum": 0, "decay": "weights"}), model)
    steps = moved(optimizer, model)
    assert {name for name, step in steps.items() if step == 1.5} == {"block.fc.weight", "fc.weight"}
    assert {step for name, step in steps.items() if "bias" in name or "norm" in name} == {1.0}


def test_a_group_learns_at_its_multiple_of_the_rate():
    model = network()
    optimizer = build_optimizer(settings(**{"momentum": 0, "lr-groups": {"^fc": 0.125}}), model)
    set_learning_rate(optimizer, 0.5)
    steps = moved(optimizer, model)
    assert steps.pop("fc.weight") == steps.pop("fc.bias") == 0.0625
    assert set(steps.values()) == {0.5}


def test_the_nearest_module_around_a_parameter_decides():
    factors = lr_factors([("^block", 3), (".norm", 0.1)], network())
    assert factors == {
        "block.fc.weight": 3, "block.fc.bias": 3, "block.norm.weight": 0.1, "block.norm.bias": 0.1,
        "fc.weight": 1, "fc.bias": 1,
    }  # fmt: skip


def test_a_suffix_means_every_module_that_ends_so():
    factors = lr_factors([("fc", 2)], network())
    assert [name for name, factor in factors.items() if factor == 2] == [
        "block.fc.weight", "block.fc.bias", "fc.weight", "fc.bias",
    ]  # fmt: skip


def test_underscores_of_module_names_are_kept():
    assert settings(lr_groups={"layer_1": 2}).lr_groups == (("layer_1", 2.0),)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            {"^blok": 2},
            r"'\^blok' means no module with trainable parameters of its own; did you mean '\^block'",
        ),
        ({"fc": 2, "^fc": 3}, r"'\^fc' and 'fc' both mean the module fc"),
    ],
)
def test_a_group_that_means_nothing_or_one_of_two_is_refused(groups, message):
    with pytest.raises(ModelError, match=message):
        build_optimizer(settings(**{"lr-groups": groups}), network())
