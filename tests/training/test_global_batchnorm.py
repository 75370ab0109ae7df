"""Which layers take part in BatchNorm over several processes; tests/distributed checks the numbers."""

from __future__ import annotations

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from layerscope.errors import ModelError
from layerscope.training.global_batchnorm import GlobalBatchNorm, share_batchnorm

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def model():
    shared = nn.BatchNorm2d(4)
    return nn.Sequential(
        nn.Conv2d(3, 4, 1), shared, nn.Sequential(nn.BatchNorm2d(4, eps=0.5), shared), nn.Flatten()
    )


@pytest.mark.parametrize(("device", "kind"), [(CPU, GlobalBatchNorm), (GPU, nn.SyncBatchNorm)])
def test_names_weights_and_sharing_stay(model, device, kind):
    before, parameters = model.state_dict(), list(model.parameters())
    share_batchnorm(model, device)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert all(one is other for one, other in zip(model.parameters(), parameters, strict=True))
    assert type(model[1]) is type(model[2][0]) is kind
    assert model[1] is model[2][1]
    assert model[2][0].eps == 0.5


def test_doing_it_again_changes_nothing(model):
    share_batchnorm(model, CPU)
    share_batchnorm(model, CPU)
    assert type(model[1]) is GlobalBatchNorm


def test_evaluation_needs_no_other_process(model):
    images = torch.randn(5, 3, 2, 2)
    expected = model.eval()(images)
    share_batchnorm(model, CPU)
    assert torch.equal(model(images), expected)


def test_the_layers_of_timm_keep_their_activation_on_a_gpu():
    model = nn.Sequential(BatchNormAct2d(4))
    share_batchnorm(model, GPU)
    assert isinstance(model[0], nn.SyncBatchNorm)
    assert isinstance(model[0].act, nn.ReLU)


@pytest.mark.parametrize("device", [CPU, GPU])
def test_a_layer_with_a_batchnorm_of_its_own_is_refused_by_name(device):
    class OwnBatchNorm(nn.BatchNorm2d):
        """Does something that nobody knows."""

    model = nn.Sequential(nn.Sequential(OwnBatchNorm(4)))
    with pytest.raises(ModelError, match=r"layer '0\.0', a OwnBatchNorm, cannot share its batch"):
        share_batchnorm(model, device)
