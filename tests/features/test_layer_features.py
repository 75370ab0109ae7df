"""Features of one layer, whichever it is."""

import pytest
import torch
from torch import nn

from layerscope.errors import ModelError
from layerscope.features.layer_features import layer_features
from layerscope.features.reduce import mean


class Twice(nn.Module):
    """Calls one module twice, and rectifies in place."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 3, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.spare = nn.Linear(3, 3)
        self.drop = nn.Dropout(0.5)

    def forward(self, images):
        return self.drop(self.fc(self.relu(self.fc(images))))


@pytest.fixture
def model():
    return Twice().train()


def batches(sizes=(4, 3)):
    generator = torch.Generator().manual_seed(0)
    return [(torch.randn(size, 3, generator=generator), torch.arange(size)) for size in sizes]


def test_every_call_of_a_module_has_its_features_before_anything_is_changed_in_place(model):
    images = torch.cat([part for part, _ in batches()])
    features, labels = layer_features(model, batches(), "fc")
    assert torch.equal(features, images)
    assert labels.tolist() == [0, 1, 2, 3, 0, 1, 2]
    hidden = images @ model.fc.weight.detach().T
    torch.testing.assert_close(layer_features(model, batches(), "relu").features, hidden)
    torch.testing.assert_close(layer_features(model, batches(), "fc@2").features, hidden.relu())
    torch.testing.assert_close(
        layer_features(model, batches(), "fc@2", where="output").features,
        layer_features(model, batches(), "drop", where="output").features,
    )
    assert model.training
    assert not features.requires_grad


def test_values_become_rows_as_asked():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())
    data = [(torch.randn(5, 1, 4, 4), torch.zeros(5, dtype=torch.int64))]
    assert layer_features(model, data, "1").features.shape == (5, 8)
    assert layer_features(model, data, "1", reduce=mean).features.shape == (5, 2)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("fd", "names near it: fc"),
        ("c", "matches no module"),
        ("fc@3", "'fc@3' is not executed"),
        ("spare", "'spare' is not executed"),
    ],
)
def test_a_layer_that_is_not_there_is_named(model, layer, message):
    with pytest.raises(ModelError, match=message):
        layer_features(model, batches(), layer)


def test_no_samples_have_no_features(model):
    with pytest.raises(ModelError, match="there are no samples"):
        layer_features(model, [], "fc")
