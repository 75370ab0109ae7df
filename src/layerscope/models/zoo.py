"""Presets for studies of neural collapse, as ``zoo/<name>``: a backbone, then a linear classifier ``fc``."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any, Literal

from torch import Tensor, nn

from layerscope.errors import ModelError
from layerscope.models.classifier import find_classifier
from layerscope.models.request import ModelRequest, Shape
from layerscope.models.small_images import start_small
from layerscope.models.timm_models import timm_module
from layerscope.models.torchvision_models import build_torchvision

PREFIX = "zoo/"
SMALL = 64
"""Height up to which images are small: the network then starts at full resolution."""

TOKENS = 8
"""Patches along each side of a small image."""


@dataclass(frozen=True)
class Preset:
    """One model of the zoo.

    Attributes
    ----------
    source : "torchvision" or "timm"
    name : str
        There.
    bias : bool
        Whether the classifier has a bias.
    final_norm : bool, optional
        Whether the normalisation before the classifier stays; None where the architecture has none.
    norm : "batch" or "layer"
        Of convolutions; ``layer`` is over all channels and places of a sample.
    patches : bool
        Whether the image is cut into patches, whose size follows that of the image.
    """

    source: Literal["torchvision", "timm"]
    name: str
    bias: bool = False
    final_norm: bool | None = None
    norm: Literal["batch", "layer"] = "batch"
    patches: bool = False


PRESETS: dict[str, Preset] = {
    "resnet18": Preset("torchvision", "resnet18"),
    "resnet18_ln": Preset("torchvision", "resnet18", norm="layer"),
    "resnet50": Preset("torchvision", "resnet50"),
    "resnet50_ln": Preset("torchvision", "resnet50", norm="layer"),
    "vgg11": Preset("torchvision", "vgg11_bn"),
    "vgg16": Preset("torchvision", "vgg16_bn"),
    "mobilenet_v2": Preset("torchvision", "mobilenet_v2"),
    "shufflenet_v2": Preset("torchvision", "shufflenet_v2_x1_0"),
    "regnet_y_400mf": Preset("torchvision", "regnet_y_400mf"),
    "densenet121": Preset("torchvision", "densenet121"),
    "efficientnet_b0": Preset("torchvision", "efficientnet_b0"),
    "googlenet": Preset("torchvision", "googlenet"),
    "convnext_tiny": Preset("torchvision", "convnext_tiny", final_norm=True),
    "vit_tiny": Preset("timm", "vit_tiny_patch16_224", final_norm=False, patches=True),
    "vit_tiny_original": Preset("timm", "vit_tiny_patch16_224", bias=True, final_norm=True, patches=True),
    "mobilenetv4_small": Preset("timm", "mobilenetv4_conv_small"),
    "repvit_m1": Preset("timm", "repvit_m1"),
    "dinov3_small": Preset("timm", "vit_small_patch16_dinov3", final_norm=False, patches=True),
    "eva02_tiny": Preset("timm", "eva02_tiny_patch14_224", final_norm=False, patches=True),
}


class ZooModel(nn.Module):
    """Logits ``W h (+ b)`` of features h = ``backbone(images)``, which are the input of ``fc``."""

    def __init__(self, backbone: nn.Module, features: int, num_classes: int, *, bias: bool) -> None:
        super().__init__()
        self.backbone = backbone
        self.fc = nn.Linear(features, num_classes, bias=bias)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K) of images (B, C, H, W)."""
        logits: Tensor = self.fc(self.backbone(images))
        return logits


def build_zoo(request: ModelRequest) -> nn.Module:
    """Return a preset by its name, fitted to the data.

    Raises
    ------
    ModelError
        A normalisation is asked for where the architecture has none; timm is not installed.
    """
    name = request.name.removeprefix(PREFIX)
    preset = PRESETS[name]
    keep = preset.final_norm if request.final_norm is None else request.final_norm
    if preset.final_norm is None and request.final_norm is not None:
        raise ModelError(
            f"{request.name} has no normalisation before its classifier. Remove Model.final-norm."
        )
    build = _torchvision_backbone if preset.source == "torchvision" else _timm_backbone
    backbone, features = build(preset, request)
    if keep is False:
        _remove_final_norm(backbone)
    return ZooModel(backbone, features, request.num_classes, bias=preset.bias)


def _is_small(shape: Shape) -> bool:
    return shape[1] <= SMALL


def _torchvision_backbone(preset: Preset, request: ModelRequest) -> tuple[nn.Module, int]:
    small = _is_small(request.shape)
    cifar = small and preset.name.startswith(("resnet", "densenet"))
    model = build_torchvision(replace(request, name=preset.name, stem="cifar" if cifar else "imagenet"))
    if small and not cifar:
        start_small(model, preset.name)
    if preset.norm == "layer":
        _use_layer_norm(model)
    if preset.name.startswith("vgg"):
        return _without_hidden_layers(model), 512
    place, head = find_classifier(model, request.num_classes)
    model.set_submodule(place, nn.Identity())
    return model, head.in_features


def _timm_backbone(preset: Preset, request: ModelRequest) -> tuple[nn.Module, int]:
    channels, height, width = request.shape
    settings: dict[str, object] = {}
    if preset.patches:
        settings["img_size"] = (height, width)
        if _is_small(request.shape):
            settings["patch_size"] = max(height // TOKENS, 1)
    create = timm_module().create_model
    model: Any = create(preset.name, num_classes=0, in_chans=channels, **settings)
    if _is_small(request.shape) and not preset.patches:
        start_small(model, preset.name)
    return model, model.head_hidden_size


def _use_layer_norm(model: nn.Module) -> None:
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.BatchNorm2d):
            model.set_submodule(name, nn.GroupNorm(1, module.num_features, eps=module.eps))


def _without_hidden_layers(model: nn.Module) -> nn.Module:
    """The convolutions of a VGG and their mean over space; its hidden layers are made for 224x224 images."""
    convolutions = model.get_submodule("features")
    return nn.Sequential(
        OrderedDict(features=convolutions, pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten())
    )


def _remove_final_norm(backbone: nn.Module) -> None:
    """Let nothing stand between the last block (or the mean over its tokens) and the classifier."""
    for name in ("norm", "fc_norm", "classifier.0"):
        if any(name == known for known, _ in backbone.named_modules()):
            backbone.set_submodule(name, nn.Identity())
