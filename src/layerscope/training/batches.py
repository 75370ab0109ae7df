"""The batches that an objective is computed on."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from layerscope.config import Config
from layerscope.data.split import Split
from layerscope.data.views import with_views
from layerscope.distributed.share import own_share
from layerscope.training.randomness import epoch_augmentation

Batches = Iterator[tuple[Tensor, Tensor]]

VIEW_AREA = 0.2
"""The smallest share of an image that a view shows, unless ``Data.view-area`` says otherwise."""


def training_batches(config: Config, epoch: int, split: Split, order: Tensor, skip: int = 0) -> Batches:
    """Yield an epoch's batches: images (B, C, H, W), or both views of each (2B, C, H, W), and labels (B,)."""
    size = config.data.batch_size
    if config.optimizer.objective == "contrastive":
        return _paired(config, split, order, f"/{epoch}", skip)
    augment = epoch_augmentation(config, epoch)
    return split.batches(size, order=order, augment=augment, skip=skip, share=own_share())


def held_out_batches(config: Config, split: Split) -> Batches:
    """Yield the same of a whole split for evaluation, without augmentation.

    Views need it: they, and the batches in which images are told apart, are drawn once for all epochs.
    """
    if config.optimizer.objective == "contrastive":
        generator = torch.Generator().manual_seed(config.run.seed_for(f"views/order/{split.name}"))
        return _paired(config, split, torch.randperm(len(split), generator=generator), f"/{split.name}")
    return split.batches(config.data.batch_size, share=own_share())


def _paired(config: Config, split: Split, order: Tensor, stream: str, skip: int = 0) -> Batches:
    """First views of a batch, then second views; the streams of both are their own."""
    viewed = with_views(split, VIEW_AREA if config.data.view_area is None else config.data.view_area)
    streams = [
        viewed.batches(
            config.data.batch_size,
            order=order,
            augment=torch.Generator().manual_seed(config.run.seed_for(f"views/{number}{stream}")),
            skip=skip,
        )
        for number in (1, 2)
    ]
    for (first, labels), (second, _) in zip(*streams, strict=True):
        yield torch.cat([first, second]), labels
