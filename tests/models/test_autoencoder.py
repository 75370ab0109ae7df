import pytest
import torch

from layerscope.config import ModelConfig
from layerscope.models.build import build_model
from layerscope.models.classifier import find_classifier


def build(name, shape=(3, 32, 32), **keys):
    return build_model(ModelConfig(model_name=name, **keys), shape, 10, seed=0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (1, 28, 28), (2, 9, 13)])
def test_reconstructions_have_the_shape_of_the_images(shape):
    model = build("ae", shape)
    images = torch.rand(4, *shape)
    assert model.reconstruct(images).shape == images.shape
    assert model(images).shape == (4, 10)


def test_the_classifier_stands_on_the_code():
    for name in ("ae", "aec"):
        found, classifier = find_classifier(build(name), 10)
        assert (found, classifier.in_features) == ("fc", 64)


def test_both_have_the_same_encoder():
    encoders = [build(name).encoder.state_dict() for name in ("ae", "aec")]
    one, other = ({key: value.shape for key, value in weights.items()} for weights in encoders)
    assert one == other


def test_the_decoder_runs_in_a_forward_pass_so_that_it_can_be_tapped():
    seen = []
    model = build("ae")
    model.decoder.register_forward_hook(lambda *_: seen.append(True))
    model(torch.rand(2, 3, 32, 32))
    assert seen == [True]


def test_sizes_and_flags():
    assert build("ae_wide").encoder.b0.conv.out_channels == 64
    assert not hasattr(build("aec_nobn").encoder.b0, "bn")
