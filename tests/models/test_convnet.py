import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.models.convnet import build_convnet
from layerscope.models.request import ModelRequest


def build(name, shape=(3, 32, 32), num_classes=10):
    return build_convnet(ModelRequest(name, shape, num_classes))


def test_layers_are_named_and_the_first_block_has_no_relu():
    children = {
        name: [child for child, _ in block.named_children()]
        for name, block in build("convnet_small").named_children()
    }
    assert list(children) == [*(f"b{index}" for index in range(7)), "flatten", "fc"]
    assert children["b0"] == ["conv", "bn"]
    assert all(children[f"b{index}"] == ["conv", "bn", "relu"] for index in range(1, 7))


def test_the_first_two_blocks_halve_the_image_and_the_others_keep_it():
    convolutions = [module for module in build("convnet_small").modules() if isinstance(module, nn.Conv2d)]
    settings = [(conv.kernel_size, conv.stride, conv.padding) for conv in convolutions]
    assert settings == [((2, 2), (2, 2), (0, 0))] * 2 + [((3, 3), (1, 1), (1, 1))] * 5
    assert [conv.in_channels for conv in convolutions] == [3, *[64] * 6]
    assert {conv.out_channels for conv in convolutions} == {64}


def test_only_the_head_has_a_bias_unless_asked_for():
    plain, biased = build("convnet_small"), build("convnet_small_bias")
    assert plain.fc.bias is not None
    assert plain.b3.conv.bias is None
    assert biased.b3.conv.bias is not None


def test_nobn_leaves_the_batch_normalisation_out():
    assert not any(isinstance(module, nn.BatchNorm2d) for module in build("convnet_small_nobn").modules())


@pytest.mark.parametrize(
    ("shape", "features"), [((1, 28, 28), 49), ((3, 32, 32), 64), ((3, 5, 9), 2), ((3, 30, 22), 35)]
)
def test_the_head_fits_images_of_any_size(shape, features):
    model = build("convnet_small", shape, 4)
    assert model.fc.in_features == 64 * features
    assert model(torch.randn(2, *shape)).shape == (2, 4)


def test_images_too_small_to_halve_twice_are_refused():
    with pytest.raises(ModelError, match=r"convnet cannot take 1x3x8 images.*at least 4x4"):
        build("convnet", (1, 3, 8))
