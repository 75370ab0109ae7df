import sys

import pytest
import torch

from layerscope.config import ModelConfig
from layerscope.errors import ModelError
from layerscope.models.build import build_model
from layerscope.models.classifier import find_classifier
from layerscope.models.request import ModelRequest
from layerscope.models.timm_models import build_timm

timm = pytest.importorskip("timm")
GREY_32 = (1, 32, 32)


@pytest.mark.parametrize(
    ("name", "head"),
    [("timm/resnet18", "fc"), ("timm/vit_tiny_patch16_224", "head"), ("timm/convnext_atto", "head.fc")],
)
def test_a_classifier_fits_grey_images_of_32_pixels(name, head):
    model = build_model(ModelConfig(model_name=name), GREY_32, 10, device="meta")
    assert find_classifier(model, 10)[0] == head
    assert model.eval()(torch.empty(2, *GREY_32, device="meta")).shape == (2, 10)


def test_a_classifier_is_built_for_real():
    model = build_model(ModelConfig(model_name="timm/test_resnet", classifier_bias=False), GREY_32, 7, seed=0)
    assert model(torch.randn(2, *GREY_32)).shape == (2, 7)
    assert model.fc.bias is None


def test_an_unknown_name_gets_the_nearest():
    with pytest.raises(ModelError, match=r"has no model 'resnet81'. Did you mean 'timm/resnet"):
        build_timm(ModelRequest("timm/resnet81", GREY_32, 10))


@pytest.mark.parametrize("name", ["timm/hf-hub:someone/net", "timm/local-dir:somewhere", "timm/a/b"])
def test_names_that_reach_beyond_timm_are_refused(name):
    with pytest.raises(ModelError, match="has no model"):
        build_timm(ModelRequest(name, GREY_32, 10))


def test_a_model_with_two_classifiers_is_refused():
    with pytest.raises(ModelError, match=r"averages the logits of several classifiers \(head, head_dist\)"):
        build_timm(ModelRequest("timm/deit_tiny_distilled_patch16_224", GREY_32, 10))


def test_a_missing_timm_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ModelError, match=r"pip install 'layerscope\[timm\]'"):
        build_timm(ModelRequest("timm/resnet18", GREY_32, 10))


def test_pretrained_weights_that_cannot_be_had_say_what_to_do(monkeypatch):
    def offline(name, *, pretrained, **_):
        assert (name, pretrained) == ("resnet18", True)
        raise OSError("no network here")

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(ModelError, match="timm/resnet18_pretrained cannot be had: no network here"):
        build_timm(ModelRequest("timm/resnet18_pretrained", GREY_32, 10))


def test_the_meta_device_downloads_no_pretrained_weights():
    model = build_model(ModelConfig(model_name="timm/resnet18_pretrained"), GREY_32, 10, device="meta")
    assert model.fc.out_features == 10
