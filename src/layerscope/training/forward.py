"""Images to loss, in the precision and memory layout that the config asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from layerscope.config import OptimizerConfig
from layerscope.training.criterion import Loss, build_loss
from layerscope.training.drift_penalty import DriftPenalty
from layerscope.training.nt_xent import nt_xent
from layerscope.training.spread import spread

TEMPERATURE = 0.5
"""As in SimCLR on small images."""

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
    penalty: DriftPenalty | None = None

    def outputs(self, images: Tensor) -> Tensor:
        """Return what the network makes of images (B, C, H, W)."""
        images = images.to(memory_format=self.memory_format)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.autocast):
            return self.network(images)

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the mean loss (scalar, float32) and the logits (B, K) of images (B, C, H, W).

        The drift penalty is part of the loss in training mode only.
        """
        logits = self.outputs(images)
        penalty = self.penalty.take() if self.penalty and self.model.training else None
        if not len(labels):  # one of several processes, and the last batch has fewer samples than they are
            return logits.float().sum(), logits
        loss = self.loss(logits.float(), labels, self.num_classes)
        return (loss if penalty is None else loss + penalty), logits


class ContrastiveForward(Forward):
    """Views to loss: :func:`~layerscope.training.nt_xent.nt_xent` of their projections."""

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the mean loss of views (2B, C, H, W), and None: nothing is decided."""
        return self.loss(self.outputs(images).float(), labels, self.num_classes), None


class ReconstructionForward(Forward):
    """Images to loss: mean squared difference to their reconstructions, over all pixels and channels."""

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the mean loss of images (B, C, H, W), and None: nothing is decided."""
        reconstructed = self.outputs(images).float()
        return (F.mse_loss(reconstructed, images) if len(labels) else reconstructed.sum()), None


FORWARDS: dict[str, type[Forward]] = {
    "supervised": Forward,
    "contrastive": ContrastiveForward,
    "reconstruction": ReconstructionForward,
}


def build_forward(
    config: OptimizerConfig,
    model: nn.Module,
    num_classes: int,
    device: torch.device,
    shape: tuple[int, int, int] | None = None,
    counts: Tensor | None = None,
) -> Forward:
    """Move what is trained to ``device`` in its memory format; compile its forward pass when asked.

    With the ``shape`` of an image, the model is trained by all processes of the run together. ``counts``
    (K,) are the training samples of each class, for losses that know them; without, all are equal.
    """
    if counts is None:
        counts = torch.ones(num_classes, dtype=torch.int64, device=device)
    loss = _contrastive_loss(config) if config.objective == "contrastive" else build_loss(config, counts)
    memory_format = MEMORY_FORMATS[config.channels_last]
    model.to(device)
    if config.channels_last:
        model.to(memory_format=memory_format)
    penalty = DriftPenalty(config.drift_penalty, model, num_classes) if config.drift_penalty else None
    network = model if shape is None else spread(model, device, shape)
    if config.compile:
        network = torch.compile(network)  # type: ignore[assignment]
    autocast = config.autocast == "bf16"
    return FORWARDS[config.objective](model, network, loss, num_classes, autocast, memory_format, penalty)


def _contrastive_loss(config: OptimizerConfig) -> Loss:
    temperature = TEMPERATURE if config.temperature is None else config.temperature
    return lambda projections, labels, num_classes: nt_xent(projections, temperature)
