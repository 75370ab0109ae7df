"""The tapped layers of a network, found by one pass over a small batch."""

import logging

import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.features.reduce import flatten, mean, reduce_by_name
from layerscope.features.taps import Layer, trace_layers


class Net(nn.Module):
    """Executed in another order than defined; one part only in training, one never."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)
        self.conv = nn.Conv2d(1, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.norm = nn.BatchNorm2d(4)
        self.aux = nn.Linear(4, 2)
        self.never = nn.Linear(1, 1)

    def forward(self, x):
        hidden = self.relu(self.norm(self.relu(self.conv(x)))).mean(dim=(2, 3))
        return self.fc(hidden) + (self.aux(hidden) if self.training else 0)


IMAGES = torch.zeros(2, 1, 6, 6)
SPEC = ["fc", "conv", "relu", "norm"]


def test_layers_come_in_the_order_of_execution_with_shape_and_width():
    assert trace_layers(Net(), IMAGES, SPEC, reduce=flatten) == [
        Layer("conv", 0, "conv", 0, (1, 6, 6), 36),
        Layer("relu@1", 1, "relu", 0, (4, 4, 4), 64),
        Layer("norm", 2, "norm", 0, (4, 4, 4), 64),
        Layer("relu@2", 3, "relu", 1, (4, 4, 4), 64),
        Layer("fc", 4, "fc", 0, (4,), 4),
    ]


def test_the_width_is_that_after_reduction_at_the_chosen_side():
    layers = trace_layers(Net(), IMAGES, ["conv", "fc"], where="output", reduce=mean)
    assert [(layer.shape, layer.dim) for layer in layers] == [((4, 4, 4), 4), ((2,), 2)]
    layers = trace_layers(Net(), IMAGES, ["conv", "fc"], reduce=reduce_by_name("project:10", 0))
    assert [layer.dim for layer in layers] == [10, 4]


@pytest.mark.parametrize("name", ["flatten", "mean", "project:10"])
def test_the_meta_device_needs_neither_weights_nor_images(name):
    reduce = reduce_by_name(name, 0)
    meta = trace_layers(Net().to("meta"), IMAGES.to("meta"), SPEC, reduce=reduce)
    assert meta == trace_layers(Net(), IMAGES, SPEC, reduce=reduce)


def test_modules_that_are_not_executed_are_left_out_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        layers = trace_layers(Net(), IMAGES, True, reduce=flatten)
    assert {layer.module_name for layer in layers} == {"conv", "relu", "norm", "fc"}
    (record,) = caplog.records
    assert record.getMessage().endswith("does not execute are left out: aux, never")


def test_a_selection_of_which_nothing_is_executed_is_refused():
    with pytest.raises(ModelError, match=r"none of the layers .* is executed: aux, never"):
        trace_layers(Net(), IMAGES, ["aux", "never"], reduce=flatten)


def test_a_shared_module_is_traced_under_its_first_name_without_a_warning(caplog):
    shared = nn.Linear(36, 36)
    model = nn.Sequential(nn.Flatten(), shared, nn.ReLU(), shared)
    layers = trace_layers(model, IMAGES, True, reduce=flatten)
    assert [layer.name for layer in layers] == ["0", "1@1", "2", "1@2"]
    assert not caplog.records


def test_tracing_leaves_the_model_as_it_was():
    model = Net().train()
    model.norm.eval()  # a part that its owner froze
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trace_layers(model, IMAGES + 3, SPEC, reduce=flatten)
    assert [module.training for module in (model, model.conv, model.norm)] == [True, True, False]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_a_model_that_fails_is_left_as_it_was():
    model = Net().train()
    with pytest.raises(RuntimeError):
        trace_layers(model, torch.zeros(2, 5, 6, 6), SPEC, reduce=flatten)
    assert all(module.training for module in model.modules())
    assert not any(m._forward_pre_hooks or m._forward_hooks for m in model.modules())


def test_a_projection_used_for_tracing_can_be_used_in_training_afterwards():
    reduce = reduce_by_name("project:10", 0)
    trace_layers(Net(), IMAGES, SPEC, reduce=reduce)
    images = torch.randn(2, 1, 6, 6, requires_grad=True)
    reduce(images).sum().backward()
    assert images.grad is not None
