"""Pixels to network inputs: the moments of each channel, measured and applied."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from layerscope.data.catalog import DatasetInfo

#: Images per block: bounds the float64 copies, whatever the size of the set.
BLOCK = 1024


@dataclass(frozen=True)
class Normalise:
    """``(pixel / unit - mean) / std`` of each channel, as one multiplication and one subtraction."""

    scale: Tensor
    shift: Tensor

    def __call__(self, images: Tensor) -> Tensor:
        """Return float32 of the shape of ``images`` (B, C, H, W); ``images`` stay as they are."""
        # Widened first: a product of bytes with the scales of three channels takes twenty times as long.
        wide = torch.promote_types(images.dtype, torch.float32)
        return images.to(wide, copy=True).mul_(self.scale).sub_(self.shift)


def normaliser(info: DatasetInfo, unit: float, device: torch.device) -> Normalise:
    """Build the normalisation of a set whose stored values are ``unit`` times those of its moments."""
    mean = torch.tensor(info.mean, dtype=torch.float64).view(1, -1, 1, 1)
    std = torch.tensor(info.std, dtype=torch.float64).view(1, -1, 1, 1)
    # Divided in double precision, so that each constant is rounded once.
    scale, shift = 1 / (unit * std), mean / std
    return Normalise(scale.to(device, torch.float32), shift.to(device, torch.float32))


def channel_moments(images: npt.NDArray[Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation (over N, H, W) of images (N, C, H, W), bytes as fractions of 255.

    In two passes, so that a large common offset does no harm. A constant channel gets 1: it is centred,
    not scaled.
    """
    count = images.size // images.shape[1]
    mean = sum(block.sum(axis=(0, 2, 3)) for block in _blocks(images)) / count
    deviations = (np.square(block - mean[:, None, None]) for block in _blocks(images))
    std = np.sqrt(sum(squares.sum(axis=(0, 2, 3)) for squares in deviations) / count)
    constant = std <= 1e-12 * np.abs(mean)  # up to rounding
    return tuple(mean.tolist()), tuple(np.where(constant, 1.0, std).tolist())


def pixel_unit(dtype: np.dtype[Any]) -> float:
    """Return what the stored values are divided by: 255 for bytes, 1 for floats."""
    return 255.0 if dtype == np.uint8 else 1.0


def _blocks(images: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.float64]]:
    unit = pixel_unit(images.dtype)
    for start in range(0, len(images), BLOCK):
        yield images[start : start + BLOCK].astype(np.float64) / unit
