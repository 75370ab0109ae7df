"""Images to loss, in the precision and memory layout that the config asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from layerscope.config import OptimizerConfig
from layerscope.training.losses import LOSSES, Loss
from layerscope.training.spread import spread

MEMORY_FORMATS = {False: torch.preserve_format, True: torch.channels_last}


@dataclass(frozen=True)
class Forward:
    """One forward pass: the model, its loss, and how both are computed."""

    model: nn.Module
    network: Callable[[Tensor], Tensor]
    loss: Loss
    num_classes: int
    autocast: bool
    memory_format: torch.memory_format

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss (scalar, float32) and the logits (B, K) of images (B, C, H, W)."""
        images = images.to(memory_format=self.memory_format)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.autocast):
            logits = self.network(images)
        if not len(labels):  # one of several processes, and the last batch has fewer samples than they are
            return logits.float().sum(), logits
        return self.loss(logits.float(), labels, self.num_classes), logits


def build_forward(
    config: OptimizerConfig,
    model: nn.Module,
    num_classes: int,
    device: torch.device,
    shape: tuple[int, int, int] | None = None,
) -> Forward:
    """Move ``model`` to ``device`` in its memory format; compile its forward pass when asked.

    With the ``shape`` of an image, the model is trained by all processes of the run together.
    """
    memory_format = MEMORY_FORMATS[config.channels_last]
    model.to(device)
    if config.channels_last:
        model.to(memory_format=memory_format)
    network = model if shape is None else spread(model, device, shape)
    if config.compile:
        network = torch.compile(network)  # type: ignore[assignment]
    autocast = config.autocast == "bf16"
    return Forward(model, network, LOSSES[config.loss], num_classes, autocast, memory_format)
