"""From the config's Model section to a module that fits the data."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from layerscope.config.own_models import own_family
from layerscope.errors import ModelError
from layerscope.models.autoencoder import build_autoencoder
from layerscope.models.classifier import set_classifier_bias
from layerscope.models.conv_init import init_convolutions
from layerscope.models.convnet import build_convnet
from layerscope.models.fit import check_fit
from layerscope.models.meta import build_on_meta
from layerscope.models.mlp import build_mlp
from layerscope.models.names import PRETRAINED_SUFFIX
from layerscope.models.request import ModelRequest, Shape, describe_shape, first_line
from layerscope.models.stem import CIFAR_STEMS
from layerscope.models.timm_models import PREFIX, build_timm
from layerscope.models.torchvision_models import build_torchvision
from layerscope.models.user import build_user_model
from layerscope.models.weights import load_weights
from layerscope.models.zoo import PREFIX as ZOO_PREFIX
from layerscope.models.zoo import build_zoo

if TYPE_CHECKING:
    from layerscope.config import ModelConfig

Family = Literal["mlp", "convnet", "autoencoder", "timm", "zoo", "user", "torchvision"]

BUILDERS: dict[Family, Callable[[ModelRequest], nn.Module]] = {
    "mlp": build_mlp,
    "convnet": build_convnet,
    "autoencoder": build_autoencoder,
    "timm": build_timm,
    "zoo": build_zoo,
    "user": build_user_model,
    "torchvision": build_torchvision,
}

OWN_FAMILIES: dict[str, Family] = {
    "mlp": "mlp",
    "convnet": "convnet",
    "ae": "autoencoder",
    "aec": "autoencoder",
}
"""Beginning of a name → who builds it."""

STATELESS: tuple[Family, ...] = ("mlp", "convnet", "autoencoder", "torchvision")
"""Families whose modules keep nothing but buffers; others may cache, say, positions on the first device."""


def build_model(
    config: ModelConfig,
    shape: Shape,
    num_classes: int,
    *,
    seed: int | None = None,
    device: Literal["cpu", "meta"] = "cpu",
) -> nn.Module:
    """Return the model that ``config`` names, fitted to the data, in training mode.

    Parameters
    ----------
    config : ModelConfig
    shape : (C, H, W)
        Of one image.
    num_classes : int
    seed : int, optional
        Of the initialisation: the same seed gives the same bits, and the global random state stays untouched.
        None draws from the global state.
    device : "cpu" or "meta"
        ``meta`` gives names and shapes in no time and memory; nothing is downloaded.

    Raises
    ------
    ModelError
        The name, the weights or the data's shape do not fit; the message says which and what does.
    """
    _refuse_contradictions(config)
    values, norm = device == "cpu", config.final_norm
    request = ModelRequest(config.model_name, shape, num_classes, config.stem, values, norm)
    with _randomness(seed if request.values else 0):
        model = _construct(request)
        if config.conv_init_std is not None:
            init_convolutions(model, config.conv_init_std)
        if config.classifier_bias is not None:
            set_classifier_bias(model, num_classes, config.classifier_bias)
        if config.weights is not None:
            load_weights(model, config.weights)
        shapes_only = family_of(config.model_name) in STATELESS
        check_fit(model, config.model_name, shape, num_classes, shapes_only=shapes_only)
    return model


def family_of(name: str) -> Family:
    """Which builder a model's name belongs to; whatever is nothing else is looked up in torchvision."""
    if name.lower().startswith(PREFIX):
        return "timm"
    if name.startswith(ZOO_PREFIX):
        return "zoo"
    if ":" in name:
        return "user"
    own = own_family(name)
    if own is not None:
        return OWN_FAMILIES[own]
    return "torchvision"


def _refuse_contradictions(config: ModelConfig) -> None:
    name = config.model_name
    if config.stem == "cifar" and family_of(name) != "torchvision":
        raise ModelError(
            f"stem: cifar is not defined for {name}; it is for {', '.join(CIFAR_STEMS)} of torchvision. "
            "Use stem: imagenet."
        )
    if config.weights is not None and name.lower().endswith(PRETRAINED_SUFFIX):
        raise ModelError(
            f"model-name {name} asks for published weights and Model.weights for those of a file. "
            f"Drop {PRETRAINED_SUFFIX}, or Model.weights."
        )


def _construct(request: ModelRequest) -> nn.Module:
    build = BUILDERS[family_of(request.name)]
    try:
        return build(request) if request.values else build_on_meta(partial(build, request))
    except (AssertionError, ValueError, RuntimeError) as error:  # how constructors refuse sizes
        raise ModelError(
            f"{request.name} cannot be built for {describe_shape(request.shape)} images and "
            f"{request.num_classes} classes: {first_line(error)}. Choose another model, or other data."
        ) from error


@contextlib.contextmanager
def _randomness(seed: int | None) -> Iterator[None]:
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        # Not ``torch.manual_seed``: that one reseeds the GPUs as well.
        torch.default_generator.manual_seed(seed)
        yield
