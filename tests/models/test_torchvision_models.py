import os
import urllib.error

import pytest
import torch
import torchvision.models
from torch import nn

from layerscope.config import ModelConfig
from layerscope.errors import ModelError
from layerscope.models.build import build_model
from layerscope.models.classifier import find_classifier

GREY_32 = (1, 32, 32)


def build(name, shape=GREY_32, num_classes=10, device="meta", **settings):
    return build_model(ModelConfig(model_name=name, **settings), shape, num_classes, device=device, seed=0)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("resnet18", "fc"),
        ("resnet50", "fc"),
        ("vgg11_bn", "classifier.6"),
        ("densenet121", "classifier"),
        ("mobilenet_v2", "classifier.1"),
        ("shufflenet_v2_x1_0", "fc"),
        ("regnet_y_400mf", "fc"),
        ("efficientnet_b0", "classifier.1"),
        ("googlenet", "fc"),
        ("convnext_tiny", "classifier.2"),
        ("vit_b_16", "heads.head"),
        ("swin_t", "head"),
        ("mnasnet0_5", "classifier.1"),
    ],
)
def test_a_classifier_fits_grey_images_of_32_pixels(name, head):
    model = build(name)
    assert find_classifier(model, 10)[0] == head  # build_model has seen its logits: see test_user_model
    assert {tensor.device.type for tensor in model.state_dict().values()} == {"meta"}


@pytest.mark.parametrize(
    ("name", "size"), [("alexnet", 224), ("inception_v3", 299), ("maxvit_t", 224), ("vit_b_32", 96)]
)
def test_a_classifier_fits_larger_images(name, size):
    assert find_classifier(build(name, (1, size, size), 4), 4)[1].out_features == 4


def test_images_that_are_too_small_are_refused_with_the_sizes_that_fit():
    with pytest.raises(
        ModelError, match=r"inception_v3 cannot take 1x32x32 images.*It takes 96x96.*299x299"
    ) as error:
        build("inception_v3")
    assert "Data.pad enlarges small images, Data.image-size those of folders" in str(error.value)


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_images_that_alexnet_cannot_take_are_refused_on_any_device(device):
    with pytest.raises(ModelError, match=r"alexnet cannot take 1x32x32 images: .*too small\. It takes 64x64"):
        build("alexnet", device=device)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("vit_h_14", "Input shape indivisible by patch size"), ("maxvit_t", "not divisible by partition size")],
)
def test_a_size_that_the_constructor_refuses_is_explained(name, reason):
    with pytest.raises(
        ModelError, match=f"{name} cannot be built for 1x32x32 images and 10 classes: .*{reason}"
    ):
        build(name)


def test_a_vision_transformer_refuses_oblong_images():
    with pytest.raises(
        ModelError, match=r"vit_b_16 cannot take 3x32x64 images: Wrong image width.*It takes 32x32"
    ):
        build("vit_b_16", (3, 32, 64))


def test_squeezenet_is_refused_for_its_classifier():
    with pytest.raises(ModelError, match="squeezenet1_0 has no linear classifier"):
        build("squeezenet1_0")


def test_an_unknown_name_gets_the_nearest():
    config = ModelConfig.model_construct(
        model_name="resnet81", stem="imagenet", weights=None, classifier_bias=None
    )
    with pytest.raises(ModelError, match=r"'resnet81' is unknown. Did you mean 'resnet.*'"):
        build_model(config, GREY_32, 10, device="meta")


@pytest.mark.parametrize("name", ["resnet18", "resnext50_32x4d", "wide_resnet50_2", "densenet121"])
def test_the_cifar_stem_keeps_the_resolution(name):
    model = build(name, (3, 32, 32), stem="cifar")
    first = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    assert (first.in_channels, first.kernel_size, first.stride, first.padding) == (3, (3, 3), (1, 1), (1, 1))
    with torch.device("meta"):
        maps = []
        last = model.layer4 if hasattr(model, "layer4") else model.features
        last.register_forward_hook(lambda module, inputs, output: maps.append(tuple(output.shape[-2:])))
        model.eval()(torch.empty(2, 3, 32, 32))
    assert maps == [(4, 4)]


def test_the_cifar_stem_takes_grey_images_and_its_usual_scale():
    model = build("resnet18", GREY_32, device="cpu", stem="cifar")
    assert model.conv1.weight.shape == (64, 1, 3, 3)
    assert model.conv1.weight.std().item() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.15)
    assert isinstance(model.maxpool, nn.Identity)


@pytest.mark.parametrize("name", ["vgg11_bn", "convnet", "timm/resnet18", "somewhere:net"])
def test_the_cifar_stem_is_refused_where_it_is_not_defined(name):
    with pytest.raises(ModelError, match=f"stem: cifar is not defined for {name}"):
        build(name, stem="cifar")


def test_training_googlenet_returns_logits_alone():
    model = build("googlenet", num_classes=3)
    assert model.training
    assert model(torch.empty(2, *GREY_32, device="meta")).shape == (2, 3)


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    """A cache of published weights, and no network."""

    def no_network(url, *_, **__):
        raise urllib.error.URLError("no network here")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def publish(folder, name, content):
    url = torchvision.models.get_model_weights(name).DEFAULT.url
    torch.save(content, folder / url.rpartition("/")[2])


def test_pretrained_weights_are_loaded_and_the_ends_are_fitted(torch_home):
    published = torchvision.models.resnet18().state_dict()
    publish(torch_home, "resnet18", published)
    model = build("resnet18_pretrained", device="cpu")
    assert torch.equal(model.layer3[0].conv1.weight, published["layer3.0.conv1.weight"])
    torch.testing.assert_close(model.conv1.weight, published["conv1.weight"].sum(1, keepdim=True))
    assert model.fc.weight.shape == (10, 512)


def test_pretrained_weights_for_the_data_they_were_trained_on_stay_whole(torch_home, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "0")
    published = torchvision.models.shufflenet_v2_x0_5().state_dict()
    publish(torch_home, "shufflenet_v2_x0_5", published)
    model = build("shufflenet_v2_x0_5_pretrained", (3, 64, 64), 1000, device="cpu")
    assert all(torch.equal(tensor, published[name]) for name, tensor in model.state_dict().items())
    assert os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] == "0"  # set while loading, and given back


def test_pretrained_auxiliary_heads_are_removed(torch_home):
    publish(
        torch_home,
        "googlenet",
        torchvision.models.googlenet(init_weights=False, aux_logits=True).state_dict(),
    )
    model = build("googlenet_pretrained", device="cpu")
    assert model.to("meta")(torch.empty(2, *GREY_32, device="meta")).shape == (2, 10)
    assert not any(name.startswith("aux") for name in model.state_dict())


@pytest.mark.parametrize("name", ["resnet18_pretrained", "googlenet_pretrained"])
def test_the_meta_device_downloads_nothing_and_has_the_same_layers(torch_home, name):
    plain = build(name.removesuffix("_pretrained"))
    assert list(build(name).state_dict()) == list(plain.state_dict())


def test_weights_that_cannot_be_downloaded_say_what_to_do(torch_home):
    with pytest.raises(
        ModelError, match=r"weights of resnet18_pretrained cannot be had.*no network.*Model.weights: FILE"
    ):
        build("resnet18_pretrained", device="cpu")


def test_published_files_are_never_unpickled_freely(torch_home):
    publish(torch_home, "resnet18", {"conv1.weight": torch.nn.ReLU()})
    with pytest.raises(
        ModelError, match="weights of resnet18_pretrained cannot be had: the file is damaged, or holds more"
    ):
        build("resnet18_pretrained", device="cpu")


def test_a_cifar_stem_on_pretrained_weights_is_said_aloud(torch_home, caplog):
    publish(torch_home, "resnet18", torchvision.models.resnet18().state_dict())
    build("resnet18_pretrained", device="cpu", stem="cifar")
    assert "replaces the pretrained first convolution of resnet18" in caplog.text


def test_a_pretrained_vision_transformer_keeps_the_size_it_was_trained_on():
    with pytest.raises(ModelError, match=r"vit_b_16_pretrained cannot take 3x32x32 images.*It takes 224x224"):
        build("vit_b_16_pretrained", (3, 32, 32))
