"""Features of one layer, all samples at once, to look at in a notebook or a debugger."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from layerscope.errors import ModelError
from layerscope.features.evaluation import evaluating, full_precision
from layerscope.features.reduce import Reduce, flatten
from layerscope.features.taps import Taps, Where


class LayerFeatures(NamedTuple):
    """What one layer makes of a split.

    Attributes
    ----------
    features : Tensor (N, D)
    labels : Tensor (N,), int64
    """

    features: Tensor
    labels: Tensor


def layer_features(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    layer: str,
    *,
    where: Where = "input",
    reduce: Reduce = flatten,
) -> LayerFeatures:
    """Features at any layer of a network, in eval mode; the network is left as it was.

    Parameters
    ----------
    model : nn.Module
    batches : iterable of (images, labels)
        On the model's device and of its precision.
    layer : str
        Dotted module name, or ``name@2`` for the second call of a module that is called several times.
    where : "input" | "output"
    reduce : callable
        From what the layer passes on (B, ...) to features (B, D).

    Raises
    ------
    ModelError
        No module of that name (the message has the nearest names), it is not executed, or not as often.
    """
    name, _, number = layer.partition("@")
    wanted = int(number) - 1 if number.isdecimal() else 0
    found: list[Tensor] = []

    def keep(_: str, call: int, values: Tensor) -> None:
        if call == wanted:
            found.append(reduce(values).clone())

    labels = []
    with torch.inference_mode(), evaluating(model), full_precision(), Taps(model, [f"^{name}"], keep, where):
        for images, numbers in batches:
            model(images)
            labels.append(numbers)
            if len(found) < len(labels):
                raise ModelError(f"layer {layer!r} is not executed in a forward pass, or not that often")
    if not labels:
        raise ModelError(f"there are no samples to take the features of layer {layer!r} from")
    return LayerFeatures(torch.cat(found), torch.cat(labels))
