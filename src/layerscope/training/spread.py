"""One model in several processes: equal weights, averaged gradients, BatchNorm over the whole batch."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from layerscope.distributed.ranks import world_size

_PARAMETERS = inspect.signature(DistributedDataParallel).parameters
_SYNC_BUFFERS = next(name for name in ("forward_sync_buffers", "broadcast_buffers") if name in _PARAMETERS)
"""Torch 2.14 renamed it."""


def spread(model: nn.Module, device: torch.device, shape: tuple[int, int, int]) -> nn.Module:
    """Return what forwards ``model`` in one of several processes; a process that is alone gets it back.

    Parameters
    ----------
    model
        On ``device``, the same in every process. Its state dict keeps its names.
    shape
        Channels, height and width of an image.
    """
    if world_size() == 1:
        return model
    from layerscope.training.global_batchnorm import share_batchnorm  # loads torch's compiler: seconds

    unused = _has_unused_parameters(model, torch.zeros(2, *shape, device=device))
    share_batchnorm(model, device)
    devices = [device] if device.type == "cuda" else None
    options: dict[str, Any] = {_SYNC_BUFFERS: False}  # equal in all processes, as the moments are
    return DistributedDataParallel(model, device_ids=devices, find_unused_parameters=unused, **options)


def share_of_loss(loss: Tensor, samples: int, batch: int) -> Tensor:
    """Weigh the mean ``loss`` of a share, so that the processes' average is the mean over the whole batch."""
    weight = samples * world_size() / batch
    return loss if weight == 1 else loss * weight


def _has_unused_parameters(model: nn.Module, images: Tensor) -> bool:
    """Whether the loss leaves a trainable parameter without gradient, for which averaging must not wait."""
    model.eval()
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(model(images).sum(), parameters, allow_unused=True)
    model.train()
    return any(gradient is None for gradient in gradients)
