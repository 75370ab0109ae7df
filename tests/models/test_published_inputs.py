"""What published weights were made for."""

from __future__ import annotations

import pytest
import torch

from layerscope.models.published_inputs import PublishedForm, PublishedInputs, published_form


@pytest.mark.parametrize(
    "name", ["timm/resnet18", "timm/resnet18_pretrained", "resnet18", "resnet18_pretrained"]
)
def test_the_form_of_a_published_model_is_known_by_its_name(name):
    form = published_form(name)
    assert form.shape == (3, 224, 224)
    assert form.mean == pytest.approx((0.485, 0.456, 0.406))
    assert form.std == pytest.approx((0.229, 0.224, 0.225))
    assert form.classes == 1000


def test_of_our_own_families_nothing_is_published():
    assert published_form("mlp_small") is None


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_scaled_and_normalised_as_the_weights_saw_them(channels):
    form = PublishedForm((8, 12), (0.5, 0.4, 0.3), (0.1, 0.2, 0.3), 10)
    own = (0.2,) * channels, (0.25,) * channels
    inputs = PublishedInputs(form, *own, torch.device("cpu"))
    pixels = torch.full((2, channels, 4, 4), 0.7, dtype=torch.float64)
    found = inputs((pixels - 0.2) / 0.25)
    assert found.shape == (2, 3, 8, 12)
    assert found.dtype == torch.float64
    for channel, expected in enumerate((2.0, 1.5, 4 / 3)):
        assert torch.allclose(found[:, channel], torch.tensor(expected).double(), atol=1e-6)
