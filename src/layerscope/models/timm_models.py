"""Classifiers of timm, as ``timm/<name>``."""

from __future__ import annotations

import contextlib
from types import ModuleType
from typing import Any

from torch import nn

from layerscope.config.nearest import nearest
from layerscope.errors import ModelError
from layerscope.models.names import split_pretrained
from layerscope.models.published import published_weights
from layerscope.models.request import ModelRequest

PREFIX = "timm/"


def build_timm(request: ModelRequest) -> nn.Module:
    """Return a timm classifier; input channels, image size (where it is fixed) and head fit the data.

    Raises
    ------
    ModelError
        timm is not installed, an unknown name, more than one classifier, weights that cannot be had.
    """
    timm = timm_module()
    name, pretrained = split_pretrained(request.name.lower().removeprefix(PREFIX))
    refuse_unknown(timm, name)
    settings = _settings(timm, name, request)
    load = pretrained and request.values
    with published_weights(request.name) if load else contextlib.nullcontext():
        model: nn.Module = timm.create_model(
            name, pretrained=load, num_classes=request.num_classes, in_chans=request.shape[0], **settings
        )
    return model


def timm_module() -> ModuleType:
    """The library, which is an extra.

    Raises
    ------
    ModelError
        It is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise ModelError("timm is not installed: pip install 'layerscope[timm]'") from error
    module: ModuleType = timm
    return module


def refuse_unknown(timm: ModuleType, name: str) -> None:
    """Refuse a name that is no model of the library.

    Raises
    ------
    ModelError
        The message has the nearest name.
    """
    # Names with a source (``hf-hub:…``) or a path would reach for the network or for a folder.
    plain = ":" not in name and "/" not in name
    if not (plain and timm.is_model(name)):
        close = nearest(name, timm.list_models())
        hint = f" Did you mean 'timm/{close}'?" if close else ""
        raise ModelError(f"timm {timm.__version__} has no model {name!r}.{hint}")


def _settings(timm: ModuleType, name: str, request: ModelRequest) -> dict[str, Any]:
    published = timm.get_pretrained_cfg(name)
    if published is None:
        return {}
    if not isinstance(published.classifier, str):
        heads = ", ".join(published.classifier or ())
        raise ModelError(
            f"timm/{name} averages the logits of several classifiers ({heads}); "
            "the measures are about one. Choose a model with a single classifier."
        )
    return {"img_size": request.shape[1:]} if published.fixed_input_size else {}
