import pytest
import torch
from torch import nn

from layerscope.config import ModelConfig
from layerscope.errors import ModelError
from layerscope.models.build import build_model


def build(name, **keys):
    return build_model(ModelConfig(model_name=name, **keys), (3, 32, 32), 10, seed=0)


def test_all_convolutions_have_the_standard_deviation_and_nothing_else_changes():
    plain, scaled = build("resnet18"), build("resnet18", conv_init_std=0.5)
    for (name, before), after in zip(plain.named_modules(), scaled.modules(), strict=True):
        if isinstance(before, nn.Conv2d):
            size = after.weight.numel()
            assert after.weight.std().item() == pytest.approx(0.5, rel=5 / (2 * size) ** 0.5), name
            assert after.weight.mean().item() == pytest.approx(0, abs=5 * 0.5 / size**0.5), name
        elif isinstance(before, nn.BatchNorm2d):
            assert torch.equal(before.weight, after.weight)
    assert torch.equal(plain.fc.weight, scaled.fc.weight)


def test_the_seed_decides():
    one, other = (build("convnet_small", conv_init_std=0.1) for _ in range(2))
    assert torch.equal(one.b3.conv.weight, other.b3.conv.weight)


def test_a_model_without_convolutions_is_refused():
    with pytest.raises(ModelError, match="has no convolutions"):
        build("mlp_small", conv_init_std=0.1)
