"""Plain convolutional networks: blocks of Conv → BatchNorm → ReLU at one width, flatten, a linear head."""

from __future__ import annotations

from collections import OrderedDict

from torch import nn

from layerscope.config.own_models import Architecture, parse_own_name
from layerscope.errors import ModelError
from layerscope.models.request import ModelRequest, describe_shape

DOWNSAMPLING_BLOCKS = 2
"""That many first blocks halve height and width."""


def build_convnet(request: ModelRequest) -> nn.Sequential:
    """Return ``b0 … b{n-1}, flatten, fc``; each block is ``conv, bn, relu``, the first without ``relu``."""
    architecture = parse_own_name(request.name)
    channels, height, width = request.shape
    smallest = 2**DOWNSAMPLING_BLOCKS
    if min(height, width) < smallest:
        raise ModelError(
            f"{request.name} cannot take {describe_shape(request.shape)} images: it halves them "
            f"{DOWNSAMPLING_BLOCKS} times, so they must be at least {smallest}x{smallest}."
        )
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for index in range(architecture.depth):
        layers[f"b{index}"] = _block(architecture, index, channels)
        channels = architecture.width
    layers["flatten"] = nn.Flatten()
    layers["fc"] = nn.Linear(channels * (height // smallest) * (width // smallest), request.num_classes)
    return nn.Sequential(layers)


def _block(architecture: Architecture, index: int, inputs: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=_convolution(architecture, index, inputs))
    if architecture.batch_norm:
        layers["bn"] = nn.BatchNorm2d(architecture.width)
    if index > 0:
        layers["relu"] = nn.ReLU()
    return nn.Sequential(layers)


def _convolution(architecture: Architecture, index: int, inputs: int) -> nn.Conv2d:
    if index < DOWNSAMPLING_BLOCKS:
        return nn.Conv2d(inputs, architecture.width, kernel_size=2, stride=2, bias=architecture.bias)
    return nn.Conv2d(inputs, architecture.width, kernel_size=3, padding=1, bias=architecture.bias)
