"""Convolutions that begin at a chosen scale."""

from __future__ import annotations

from torch import nn

from layerscope.errors import ModelError

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def init_convolutions(model: nn.Module, std: float) -> None:
    """Draw the weights of all convolutions of ``model`` from N(0, std²); biases and other layers stay.

    Raises
    ------
    ModelError
        There is none.
    """
    convolutions = [module for module in model.modules() if isinstance(module, CONVOLUTIONS)]
    if not convolutions:
        raise ModelError(
            "Model.conv-init-std is set, but the model has no convolutions. Drop it, or choose another model."
        )
    for module in convolutions:
        nn.init.normal_(module.weight, std=std)
