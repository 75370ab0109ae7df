from __future__ import annotations

import pytest
import torch
from torch import nn

from layerscope.config import OptimizerConfig
from layerscope.training import forward as forward_module
from layerscope.training.forward import build_forward

CPU = torch.device("cpu")
IMAGES = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])


def settings(**keys):
    return OptimizerConfig.model_validate({"lr": 0.1, "epochs": 1, **keys}, by_name=True)


class Watcher(nn.Module):
    """A small network that remembers how it was called."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 5, 3)
            self.fc = nn.Linear(5, 4)

    def forward(self, images):
        self.images = images
        self.hidden = self.conv(images).relu().mean((2, 3))
        return self.fc(self.hidden)


def test_the_loss_is_that_of_the_logits():
    forward = build_forward(settings(loss="celoss"), Watcher(), 4, CPU)
    loss, logits = forward(IMAGES, LABELS)
    assert logits.shape == (6, 4)
    assert torch.equal(loss, nn.CrossEntropyLoss()(logits, LABELS))
    assert forward.model.images is IMAGES


@pytest.mark.parametrize("name", ["mseloss", "celoss"])
def test_bf16_computes_in_bf16_but_keeps_weights_gradients_and_loss_in_float32(name):
    exact, _ = build_forward(settings(loss=name), Watcher(), 4, CPU)(IMAGES, LABELS)
    forward = build_forward(settings(loss=name, autocast="bf16"), Watcher(), 4, CPU)
    loss, logits = forward(IMAGES, LABELS)
    loss.backward()
    model = forward.model
    assert model.hidden.dtype == logits.dtype == torch.bfloat16
    assert {loss.dtype, model.fc.weight.dtype, model.fc.weight.grad.dtype} == {torch.float32}
    assert loss.item() == pytest.approx(exact.item(), rel=0.02)
    assert loss.item() != exact.item()


def test_channels_last_reaches_weights_and_images_and_changes_only_rounding():
    exact, _ = build_forward(settings(), Watcher(), 4, CPU)(IMAGES, LABELS)
    forward = build_forward(settings(channels_last=True), Watcher(), 4, CPU)
    loss, _ = forward(IMAGES, LABELS)
    assert forward.model.images.is_contiguous(memory_format=torch.channels_last)
    assert forward.model.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert loss.item() == pytest.approx(exact.item(), rel=1e-5)


def test_compiling_leaves_the_names_of_the_weights_alone(monkeypatch):
    compiled = []

    def fake_compile(model):
        compiled.append(model)
        return lambda images: model(images)

    monkeypatch.setattr(forward_module.torch, "compile", fake_compile)
    model = Watcher()
    forward = build_forward(settings(compile=True), model, 4, CPU)
    forward(IMAGES, LABELS)
    assert compiled == [model]
    assert forward.model is model
    build_forward(settings(), model, 4, CPU)
    assert len(compiled) == 1
