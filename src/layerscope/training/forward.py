"""Images to loss, in the precision and memory layout that the config asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from layerscope.config import OptimizerConfig
from layerscope.training.losses import LOSSES, Loss

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
        return self.loss(logits.float(), labels, self.num_classes), logits


def build_forward(
    config: OptimizerConfig, model: nn.Module, num_classes: int, device: torch.device
) -> Forward:
    """Move ``model`` to ``device`` in its memory format; compile its forward pass when asked."""
    memory_format = MEMORY_FORMATS[config.channels_last]
    model.to(device)
    if config.channels_last:
        model.to(memory_format=memory_format)
    network = torch.compile(model) if config.compile else model
    autocast = config.autocast == "bf16"
    return Forward(model, network, LOSSES[config.loss], num_classes, autocast, memory_format)
