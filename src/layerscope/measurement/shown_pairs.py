"""Pairs of images as a run keeps them: places, labels, and the first few images to look at."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from layerscope.data.load import Data
from layerscope.data.split import Split
from layerscope.pairing import ImagePairs
from layerscope.results.stored_pairs import SHOWN, Images, StoredPairs

SLACK = 1e-3  # how far normalising and back may leave the range of pixels


def shown_pairs(data: Data, pairs: ImagePairs) -> StoredPairs:
    """Pairs of a data set, ready to be stored."""
    test, train = (
        _pixels(split, places[:SHOWN], data)
        for split, places in ((data.test, pairs.test), (data.train, pairs.train))
    )
    test_images, train_images = _as_bytes(test, train)
    return StoredPairs(
        pairs.test.numpy(),
        pairs.train.numpy(),
        pairs.cosines.numpy(),
        data.test.labels.cpu()[pairs.test].numpy(),
        data.train.labels.cpu()[pairs.train].numpy(),
        test_images,
        train_images,
        pairs.identity,
    )


def _pixels(split: Split, places: Tensor, data: Data) -> Tensor:
    """Images (n, C, H, W) as they were before normalisation, in fractions of 255."""
    batches = [images.cpu() for images, _ in split.batches(SHOWN, order=places)]
    images = torch.cat([torch.empty(0, *split.shape), *batches])
    mean, std = (torch.tensor(part).view(1, -1, 1, 1) for part in (data.info.mean, data.info.std))
    return images * std + mean


def _as_bytes(*parts: Tensor) -> list[Images]:
    """Bytes (n, H, W, 1 or 3); what is no picture is stretched over the range of a picture."""
    together = torch.cat(parts)
    low, high = (float(together.min()), float(together.max())) if len(together) else (0.0, 1.0)
    if low >= -SLACK and high <= 1 + SLACK:
        low, high = 0.0, 1.0
    return [_bytes((part - low) / max(high - low, 1e-12)) for part in parts]


def _bytes(images: Tensor) -> Images:
    channels = images if images.shape[1] == 3 else images[:, :1]
    scaled = (channels.clamp(0, 1) * 255).round().to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).numpy())
