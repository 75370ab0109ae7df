"""Images of another kind, brought to what a model takes that was trained on others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.config import DataConfig, RunConfig
from layerscope.data.catalog import DatasetInfo, check_channels
from layerscope.data.load import load_data
from layerscope.data.normalise import Normalise, normaliser
from layerscope.data.split import Split
from layerscope.distributed.share import WHOLE, Share

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a grey value (ITU-R BT.601)."""


@dataclass(frozen=True)
class FittedSplit:
    """A split whose images have the shape of others, and their normalisation.

    A grey image becomes three equal channels, and a coloured one its luma; another size is reached by
    bilinear interpolation with antialiasing. Labels are those of the other set.
    """

    whole: Split
    own: Normalise
    shape: tuple[int, int, int]
    normalise: Normalise
    name: str = "ood"

    @property
    def labels(self) -> Tensor:
        """Labels of the other set (N,)."""
        return self.whole.labels

    @property
    def num_classes(self) -> int:
        """How many classes the other set has."""
        return self.whole.num_classes

    def __len__(self) -> int:
        return len(self.whole)

    def batches(
        self,
        batch_size: int,
        *,
        order: Tensor | None = None,
        augment: torch.Generator | None = None,
        skip: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield batches (see :class:`layerscope.data.split.Split`)."""
        inner = self.whole.batches(batch_size, order=order, augment=augment, skip=skip, share=share)
        for images, labels in inner:
            pixels = (images + self.own.shift) / self.own.scale  # as they were before normalisation
            yield self.normalise(fitted(pixels, self.shape)), labels


def load_ood(config: DataConfig, trained: DatasetInfo, run: RunConfig, device: torch.device) -> Split | None:
    """The test split of ``Data.ood``, fitted to images of the set ``trained``; None when there is none.

    Pixels are fractions of 255 for bytes, and the stored values for floats, in both sets.

    Raises
    ------
    DataError
        The set cannot be read, or its channels cannot become those of the model.
    """
    other = config.other_images
    if other is None:
        return None
    found = load_data(other, run, device)
    check_channels(found.info, trained)
    # Both normalisations in one unit, that of the moments.
    own = normaliser(found.info, 1.0, device)
    return FittedSplit(found.test, own, trained.shape, normaliser(trained, 1.0, device))


def fitted(images: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Images (B, c, h, w), grey or of ``shape``'s channels, as (B, C, H, W)."""
    if images.shape[1] != shape[0]:
        images = images.expand(-1, shape[0], -1, -1) if images.shape[1] == 1 else _grey(images)
    if images.shape[2:] != shape[1:]:
        images = F.interpolate(images, shape[1:], mode="bilinear", antialias=True, align_corners=False)
    return images


def _grey(images: Tensor) -> Tensor:
    weights = images.new_tensor(LUMA).view(1, 3, 1, 1)
    return (images * weights).sum(dim=1, keepdim=True)
