"""Torchvision's classifiers, with input channels and head fitted to the data."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

from torch import nn

from layerscope.config.nearest import nearest
from layerscope.config.own_models import SIZES
from layerscope.errors import ModelError
from layerscope.models.classifier import fit_classifier
from layerscope.models.names import split_pretrained
from layerscope.models.published import published_weights
from layerscope.models.request import ModelRequest, Shape
from layerscope.models.stem import fit_channels, use_cifar_stem

_log = logging.getLogger(__name__)

WITH_AUXILIARY_HEADS = ("googlenet", "inception_v3")
"""Models with extra classifiers on inner layers, which would make training return more than logits."""

WITHOUT_LINEAR_CLASSIFIER = ("squeezenet",)
"""Models whose logits are not a linear function of any layer's features."""


def build_torchvision(request: ModelRequest) -> nn.Module:
    """Return a torchvision classifier by its name.

    Raises
    ------
    ModelError
        Unknown name, no linear classifier, sizes that its constructor refuses, weights that cannot be had.
    """
    models = _torchvision_models()
    name, pretrained = split_pretrained(request.name.lower())
    _refuse_unfit(name, models)
    model = _create(models, name, request, pretrained)
    fit_channels(model, request.shape[0], pretrained=pretrained)
    if request.stem == "cifar":
        if pretrained:
            _log.warning("stem: cifar replaces the pretrained first convolution of %s by a fresh one", name)
        use_cifar_stem(model, name)
    return model


def _torchvision_models() -> ModuleType:
    # Importing torchvision takes seconds, which runs of our own families need not wait for.
    import torchvision.models

    models: ModuleType = torchvision.models
    return models


def _refuse_unfit(name: str, models: ModuleType) -> None:
    known = models.list_models(module=models)
    if name not in known:
        close = nearest(name, [*known, *SIZES])
        hint = f" Did you mean {close!r}?" if close else ""
        raise ModelError(
            f"model-name {name!r} is unknown.{hint} A name is {' or '.join(SIZES)} with suffixes, "
            "a torchvision classifier, timm/<name>, or module:function for your own."
        )
    if name.startswith(WITHOUT_LINEAR_CLASSIFIER):
        raise ModelError(
            f"{name} has no linear classifier (its logits are averages of rectified maps), and the measures "
            "are about one. Choose another model, or build your own with module:function."
        )


def _create(models: ModuleType, name: str, request: ModelRequest, pretrained: bool) -> nn.Module:
    settings = _settings(models, name, request.shape, pretrained)
    if pretrained and request.values:
        with published_weights(request.name):
            model: nn.Module = models.get_model(name, weights="DEFAULT", progress=False, **settings)
        fit_classifier(model, _published_classes(models, name), request.num_classes)
    else:
        model = models.get_model(name, num_classes=request.num_classes, **settings)
    _remove_auxiliary_heads(model)
    return model


def _settings(models: ModuleType, name: str, shape: Shape, pretrained: bool) -> dict[str, Any]:
    """What a constructor must be told beyond the number of classes."""
    channels, height, width = shape
    if name in WITH_AUXILIARY_HEADS:
        if pretrained:  # torchvision itself decides on the heads then; they are removed afterwards
            return {"transform_input": channels == 3, "init_weights": False}
        return {"aux_logits": False, "init_weights": True}
    if name.startswith("vit_"):
        return {"image_size": _published_size(models, name) if pretrained else height}
    if name.startswith("maxvit_") and not pretrained:
        return {"input_size": (height, width)}
    return {}


def _published_classes(models: ModuleType, name: str) -> int:
    return len(models.get_model_weights(name).DEFAULT.meta["categories"])


def _published_size(models: ModuleType, name: str) -> int:
    size: int = models.get_model_weights(name).DEFAULT.meta["min_size"][0]
    return size


def _remove_auxiliary_heads(model: nn.Module) -> None:
    if hasattr(model, "aux_logits"):
        setattr(model, "aux_logits", False)  # noqa: B010  # mypy takes attributes of modules for tensors
        for head in ("AuxLogits", "aux1", "aux2"):
            if hasattr(model, head):
                setattr(model, head, None)
