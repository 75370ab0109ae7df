from __future__ import annotations

import pytest
import torch
from torch import nn

from layerscope.config import parse_config
from layerscope.training.forward import build_forward

CPU = torch.device("cpu")
LABELS = torch.tensor([0, 2, 1])


class Features(nn.Module):
    """What comes in is what the classifier reads."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, 3)

    def forward(self, images):
        return self.fc(images.flatten(1))


def forward_with(strength):
    keys = {"loss": "celoss", "lr": 0.1, "epochs": 1, "drift-penalty": strength}
    sections = {
        "Model": {"model-name": "mlp"},
        "Data": {"dataset-id": "digits"},
        "Logging": {"save-dir": "x"},
    }
    torch.manual_seed(0)
    return build_forward(parse_config({**sections, "Optimizer": keys}).optimizer, Features(), 3, CPU)


@pytest.fixture
def images():
    return torch.randn(3, 5, 1, 1, generator=torch.Generator().manual_seed(1), requires_grad=True)


def test_the_penalty_is_the_squared_norm_of_the_batch_mean(images):
    plain, penalised = (forward_with(strength)(images, LABELS)[0] for strength in (0, 0.7))
    mean = images.detach().flatten(1).mean(dim=0)
    assert (penalised - plain).item() == pytest.approx(0.7 * float(mean @ mean), rel=1e-5)


def test_its_gradient_pulls_every_sample_along_the_mean(images):
    plain, penalised = (
        torch.autograd.grad(forward_with(strength)(images, LABELS)[0], images)[0] for strength in (0, 0.7)
    )
    by_hand = 2 * 0.7 * images.detach().mean(dim=0) / 3
    torch.testing.assert_close(penalised - plain, by_hand.expand(3, -1, -1, -1), rtol=1e-4, atol=1e-6)


def test_evaluation_has_no_penalty(images):
    plain, penalised = forward_with(0), forward_with(0.7)
    for forward in (plain, penalised):
        forward.model.eval()
    assert torch.equal(penalised(images, LABELS)[0], plain(images, LABELS)[0])
