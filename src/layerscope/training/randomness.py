"""The random streams of one epoch, derived from the config alone: a resumed epoch draws the same again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.config import Config


def epoch_order(config: Config, epoch: int, samples: int) -> Tensor:
    """Return the order of the training samples, int64 on the CPU so that every device sees the same one.

    A last batch of one sample is left out (BatchNorm cannot train on it), unless it is the only batch.
    """
    generator = torch.Generator().manual_seed(config.run.seed_for(f"order/{epoch}"))
    order = torch.randperm(samples, generator=generator)
    size = config.data.batch_size
    lone_sample = samples > size > 1 and samples % size == 1
    return order[:-1] if lone_sample else order


def epoch_augmentation(config: Config, epoch: int) -> torch.Generator | None:
    """Return the generator for augmentation (on the CPU), or None when the config wants none."""
    if not config.data.do_augmentation:
        return None
    return torch.Generator().manual_seed(config.run.seed_for(f"augment/{epoch}"))


@contextlib.contextmanager
def epoch_dropout(config: Config, epoch: int, device: torch.device) -> Iterator[None]:
    """Seed the layers that draw from torch's global stream, and give that stream back untouched."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(config.run.seed_for(f"dropout/{epoch}"))
        yield
