import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.models.stem import fit_channels, use_cifar_stem


def network(bias=True):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, kernel_size=(5, 3), stride=(2, 1), padding=(2, 1), bias=bias), nn.Conv2d(16, 8, 3)
    )


@pytest.mark.parametrize("channels", [1, 2, 4, 12])
@pytest.mark.parametrize("pretrained", [True, False])
def test_only_the_channels_of_the_first_convolution_change(channels, pretrained):
    model = network()
    old, second = model[0], model[1]
    fit_channels(model, channels, pretrained=pretrained)
    new = model[0]
    assert new.weight.shape == (16, channels, 5, 3)
    assert (new.stride, new.padding, new.kernel_size) == (old.stride, old.padding, old.kernel_size)
    assert torch.equal(new.bias, old.bias)
    assert model[1] is second


def test_fitting_channels_that_already_fit_changes_nothing():
    model = network()
    old = model[0]
    fit_channels(model, 3, pretrained=False)
    assert model[0] is old


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_pretrained_filters_answer_to_grey_images_as_before(channels):
    model = network()
    grey = torch.randn(2, 1, 9, 9)
    expected = model[0](grey.expand(-1, 3, -1, -1))
    fit_channels(model, channels, pretrained=True)
    torch.testing.assert_close(model[0](grey.expand(-1, channels, -1, -1)), expected)


def test_fresh_filters_have_the_scale_of_the_architecture():
    model = network(bias=False)
    with torch.no_grad():
        model[0].weight.mul_(100)
    scale = model[0].weight.std().item()
    fit_channels(model, 12, pretrained=False)
    assert model[0].weight.std().item() == pytest.approx(scale, rel=0.1)
    assert not torch.equal(model[0].weight[:, 0], model[0].weight[:, 3])


def test_a_model_without_convolution_cannot_be_fitted():
    with pytest.raises(ModelError, match="no convolution whose input channels"):
        fit_channels(nn.Linear(3, 3), 1, pretrained=False)


def test_the_cifar_stem_of_other_models_is_refused_with_the_families_that_have_one():
    with pytest.raises(
        ModelError, match="not defined for vgg11; it is for resnet, resnext, wide_resnet, densenet"
    ):
        use_cifar_stem(network(), "vgg11")
