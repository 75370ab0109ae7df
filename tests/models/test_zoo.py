"""Every preset of the zoo keeps what studies of collapse take for granted."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from layerscope.config import ModelConfig
from layerscope.config.names import ZOO_MODELS
from layerscope.errors import ModelError
from layerscope.features.taps import Taps
from layerscope.models.build import build_model
from layerscope.models.classifier import find_classifier
from layerscope.models.zoo import PREFIX, PRESETS

LIGHT = ("resnet18", "shufflenet_v2", "mobilenetv4_small", "vit_tiny", "vit_tiny_original", "eva02_tiny")
TRANSFORMERS = ("vit_tiny", "dinov3_small", "eva02_tiny")
WITH_FINAL_NORM = ("convnext_tiny", "vit_tiny_original")


def build(name, shape=(3, 32, 32), device="meta", **keys):
    settings = {"model-name": f"zoo/{name}", "embedding-layers": ("^fc",), **keys}
    return build_model(ModelConfig(**settings), shape, 10, seed=0, device=device)


def test_the_names_are_those_of_the_presets():
    assert tuple(f"{PREFIX}{name}" for name in PRESETS) == ZOO_MODELS


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_ends_in_its_linear_classifier(name):
    model = build(name)
    place, classifier = find_classifier(model, 10)
    assert place == "fc"
    assert (classifier.bias is not None) == (name == "vit_tiny_original")


@pytest.mark.parametrize("name", LIGHT)
def test_a_preset_trains_on_grey_images_and_its_tapped_features_are_what_the_classifier_reads(name):
    model = build(name, (1, 32, 32), "cpu").train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    images, labels = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(4)
    first = model.get_parameter("fc.weight").clone()
    nn.functional.cross_entropy(model(images), labels).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    optimizer.step()
    assert not torch.equal(model.get_parameter("fc.weight"), first)
    seen = []
    model.eval()
    with torch.no_grad(), Taps(model, ("^fc",), lambda name, call, values: seen.append(values), "input"):
        logits = model(images)
    (features,) = seen
    torch.testing.assert_close(model.fc(features), logits)
    torch.testing.assert_close(model.backbone(images), features)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_a_transformer_has_no_final_normalisation_unless_asked_for(name):
    def last_norms(model):
        return [type(getattr(model.backbone, part)) for part in ("norm", "fc_norm")]

    assert last_norms(build(name)) == [nn.Identity, nn.Identity]
    assert nn.Identity in last_norms(build(name, final_norm=True))
    assert last_norms(build(name, final_norm=True)) != [nn.Identity, nn.Identity]


@pytest.mark.parametrize("name", WITH_FINAL_NORM)
def test_a_final_normalisation_can_be_taken_away(name):
    def parameters(model):
        return sum(tensor.numel() for tensor in model.backbone.parameters())

    kept, removed = build(name), build(name, final_norm=False)
    assert parameters(kept) - parameters(removed) == 2 * kept.fc.in_features  # scale and shift


def test_no_final_normalisation_is_made_up():
    with pytest.raises(ModelError, match="zoo/resnet18 has no normalisation before its classifier"):
        build("resnet18", final_norm=True)


@pytest.mark.parametrize("name", ["resnet18_ln", "resnet50_ln"])
def test_layer_normalisation_takes_the_place_of_every_batch_normalisation(name):
    kinds = {type(module) for module in build(name).modules()}
    assert nn.GroupNorm in kinds
    assert nn.BatchNorm2d not in kinds


@pytest.mark.parametrize("name", [name for name in PRESETS if not PRESETS[name].patches])
def test_small_images_keep_their_resolution_at_the_start(name):
    model, sizes = build(name), []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, inputs, output: sizes.append(output.shape[2]))
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, 32, 32, device="meta"))
    assert sizes[0] == (16 if name == "convnext_tiny" else 32)
    assert min(size for size in sizes if size > 1) in (2, 4)  # 1: what comes after pooling


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny", "dinov3_small"])
def test_images_of_imagenets_size_start_as_published(name):
    first = next(module for module in build(name, (3, 224, 224)).modules() if isinstance(module, nn.Conv2d))
    assert (first.kernel_size, first.stride) == {
        "resnet18": ((7, 7), (2, 2)),
        "vit_tiny": ((16, 16), (16, 16)),
        "dinov3_small": ((16, 16), (16, 16)),
    }[name]


def test_the_same_seed_gives_the_same_weights():
    one, other = (build("vit_tiny", (1, 32, 32), "cpu").state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
