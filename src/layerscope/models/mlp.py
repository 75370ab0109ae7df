"""Multilayer perceptrons: flatten, blocks of Linear → BatchNorm → ReLU, a linear head."""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import pairwise

from torch import nn

from layerscope.config.own_models import Architecture, parse_own_name
from layerscope.models.request import ModelRequest
from layerscope.models.simplex_head import simplex_head


def build_mlp(request: ModelRequest) -> nn.Sequential:
    """Return ``flatten, block0 … block{n-1}, fc``; each block is ``fc, bn, relu``.

    A plain ``nn.Sequential``: the forward pass costs nothing beyond its layers, and names carry no prefix.
    """
    architecture = parse_own_name(request.name)
    inputs = math.prod(request.shape)
    if architecture.shared_weight:
        return _shared_weight_mlp(architecture, inputs, request.num_classes)
    widths = [inputs, *[architecture.width] * architecture.depth]
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for index, (before, after) in enumerate(pairwise(widths)):
        layers[f"block{index}"] = _block(architecture, before, after)
    layers["fc"] = nn.Linear(widths[-1], request.num_classes, bias=architecture.bias)
    return nn.Sequential(layers)


def _block(architecture: Architecture, inputs: int, outputs: int) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict(fc=nn.Linear(inputs, outputs, bias=architecture.bias))
    if architecture.batch_norm:
        layers["bn"] = nn.BatchNorm1d(outputs)
    layers["relu"] = nn.ReLU()
    return nn.Sequential(layers)


def _shared_weight_mlp(architecture: Architecture, inputs: int, num_classes: int) -> nn.Sequential:
    """One hidden matrix for all blocks; frozen layers bring the input to its width and make the logits."""
    width = architecture.width
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    if inputs < width:
        layers["padding"] = nn.ConstantPad1d((0, width - inputs), 0.0)
    elif inputs > width:
        layers["projection"] = _frozen_projection(inputs, width)
    first = _block(architecture, width, width)
    layers["block0"] = first
    for index in range(1, architecture.depth):
        layers[f"block{index}"] = _tied(_block(architecture, width, width), first)
    layers["fc"] = simplex_head(width, num_classes)
    return nn.Sequential(layers)


def _frozen_projection(inputs: int, outputs: int) -> nn.Linear:
    """A random projection that keeps squared norms on average: entries are N(0, 1/outputs)."""
    projection = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(projection.weight, std=outputs**-0.5)
    return projection.requires_grad_(False)


def _tied(block: nn.Sequential, first: nn.Sequential) -> nn.Sequential:
    """Let ``block`` use the parameters of ``first``; running averages stay its own, as inputs differ."""
    for name, parameter in first.named_parameters():
        module, _, leaf = name.rpartition(".")
        setattr(block.get_submodule(module), leaf, parameter)
    return block
