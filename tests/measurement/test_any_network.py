"""Networks of others: transformers, modules that are called several times, inputs in tuples."""

import pytest
import torch
from torch import nn

from layerscope.features.reduce import reduce_by_name
from layerscope.features.taps import trace_layers
from layerscope.measurement.plan import make_plan
from layerscope.measurement.setup import Setup
from layerscope.measurement.sweeps import Collector
from layerscope.measures.base import Need
from layerscope.training.losses import celoss

from .tiny_network import CPU, split_of

IMAGES = torch.randn(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(12) % 3
NEEDS = Need.DECISIONS | Need.MOMENTS


def collected(model, spec, *, reduce="flatten", where="input"):
    """Statistics of a network on twelve images of three classes."""
    reduction = reduce_by_name(reduce, 0)
    layers = trace_layers(model.eval(), IMAGES[:2], spec, where=where, reduce=reduction)
    splits = {"train": split_of("train", IMAGES, LABELS, 3)}
    taken = (splits, layers, spec, where, reduce, reduction)
    setup = Setup(*taken, celoss, "balanced", 5, torch.float32, CPU)
    plan = make_plan(layers, {"train": 12}, 3, NEEDS, memory_bytes=10**9, item_bytes=4)
    return Collector(setup, plan).collect(model, NEEDS)


def means_of(statistics):
    return {entry.layer.name: entry.splits["train"].moments.means for entry in statistics.layers}


def class_means(rows):
    return torch.stack([rows[c == LABELS].double().mean(dim=0) for c in range(3)])


@pytest.fixture(scope="module")
def vision_transformer():
    timm = pytest.importorskip("timm")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return timm.models.vision_transformer.VisionTransformer(
            img_size=32, patch_size=8, embed_dim=24, depth=2, num_heads=2, num_classes=3
        )


@pytest.mark.parametrize(
    ("reduce", "expected"),
    [
        ("cls", lambda tokens: tokens[:, 0]),
        ("mean_token", lambda tokens: tokens[:, 1:].mean(dim=1)),
        ("mean", lambda tokens: tokens.mean(dim=1)),
        ("flatten", lambda tokens: tokens.flatten(1)),
    ],
)
def test_the_tokens_of_a_vision_transformer(vision_transformer, reduce, expected):
    tokens = {}
    model = vision_transformer
    handle = model.blocks[1].mlp.register_forward_pre_hook(lambda _, args: tokens.update(mlp=args[0]))
    with torch.no_grad():
        model.eval()(IMAGES)
    handle.remove()
    found = means_of(collected(model, [".1.mlp", "^head"], reduce=reduce))
    torch.testing.assert_close(
        found["blocks.1.mlp"], class_means(expected(tokens["mlp"])), rtol=1e-4, atol=1e-5
    )
    assert found["head"].shape == (3, 24)


class Shared(nn.Module):
    """One module that is called twice with a tuple and a keyword, with an in-place activation after it."""

    def __init__(self):
        super().__init__()
        self.mix, self.fc = Mix(), nn.Linear(3 * 32 * 32, 3)

    def forward(self, images):
        hidden = self.mix((images, 2), shift=1.0).relu_()
        return self.fc(self.mix((hidden, 3), shift=0.0).flatten(1))


class Mix(nn.Module):
    def forward(self, pair, shift):
        return pair[0] * pair[1] + shift


def test_calls_of_one_module_with_tuples_are_layers_of_their_own():
    found = means_of(collected(Shared(), ["mix"]))
    assert list(found) == ["mix@1", "mix@2"]
    torch.testing.assert_close(found["mix@1"], class_means(IMAGES.flatten(1)), rtol=1e-5, atol=1e-6)
    second = (2 * IMAGES + 1).relu()
    torch.testing.assert_close(found["mix@2"], class_means(second.flatten(1)), rtol=1e-5, atol=1e-6)


def test_an_activation_in_place_does_not_reach_what_was_tapped_before():
    found = means_of(collected(Shared(), ["mix"], where="output"))
    torch.testing.assert_close(found["mix@1"], class_means((2 * IMAGES + 1).flatten(1)), rtol=1e-5, atol=1e-6)


def test_torchvision_networks_are_tapped_by_name():
    torchvision = pytest.importorskip("torchvision")
    small = torchvision.models.VisionTransformer(32, 8, 1, 2, 16, 32, num_classes=3)
    found = means_of(collected(small, [".mlp", "head"], reduce="cls"))
    assert [rows.shape for rows in found.values()] == [(3, 16), (3, 16)]
