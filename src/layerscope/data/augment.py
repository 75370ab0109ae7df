"""Random crops and flips. Every draw comes from the generator given, at once for the whole pass.

So the draws depend on neither the batch size, nor the number of workers, nor the device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.data.catalog import Augmentation
from layerscope.errors import DataError

#: Black pixels around an image before it is cropped back to its size.
MARGIN = 4


@dataclass(frozen=True)
class Shifts:
    """Where each image of a pass is cropped, and whether it is mirrored: tensors of shape (N,)."""

    top: Tensor
    left: Tensor
    flip: Tensor

    def apply(self, images: Tensor, window: slice) -> Tensor:
        """Crop and mirror the images (B, C, H, W) at the places ``window`` of the pass, in one gather."""
        batch, channels, height, width = images.shape
        padded = F.pad(images, (MARGIN,) * 4)
        across = torch.arange(width, device=images.device)
        columns = torch.where(self.flip[window, None], width - 1 - across, across) + self.left[window, None]
        rows = self.top[window, None] + torch.arange(height, device=images.device)
        # (B, H, 1) and (B, 1, W) -> (B, 1, H * W): places in the flattened padded image
        places = (rows[:, :, None] * padded.shape[3] + columns[:, None, :]).view(batch, 1, height * width)
        cropped = padded.flatten(2).gather(2, places.expand(-1, channels, -1))
        return cropped.view(batch, channels, height, width)


def draw_shifts(kind: Augmentation, count: int, generator: torch.Generator, device: torch.device) -> Shifts:
    """Draw the crops of ``count`` images, and their flips when ``kind`` has them."""
    if kind not in ("crop", "crop_flip"):
        raise DataError(f"no crop is defined for this data set (its augmentation is {kind!r}).")
    place = generator.device
    top, left = torch.randint(2 * MARGIN + 1, (2, count), generator=generator, device=place).to(device)
    share = 0.5 if kind == "crop_flip" else 0.0
    flip = torch.rand(count, generator=generator, device=place).to(device) < share
    return Shifts(top, left, flip)


def draw_seeds(count: int, generator: torch.Generator) -> Tensor:
    """Draw one seed per image, for workers that augment alone."""
    return torch.randint(2**62, (count,), generator=generator, device=generator.device).cpu()


def random_box(height: int, width: int, generator: torch.Generator) -> tuple[int, int, int, int]:
    """Draw ImageNet's random crop: 8 to 100 % of the area, aspect ratio 3/4 to 4/3.

    Returns top, left, height, width; after ten draws that do not fit, of the largest centred box with an
    allowed aspect ratio.
    """
    for _ in range(10):
        area, ratio = torch.rand(2, generator=generator).tolist()
        area = height * width * (0.08 + 0.92 * area)
        ratio = math.exp(math.log(3 / 4) + ratio * math.log(16 / 9))  # uniform in log(width / height)
        box_width, box_height = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < box_width <= width and 0 < box_height <= height:
            top, left = (_below(room, generator) for room in (height - box_height, width - box_width))
            return top, left, box_height, box_width
    box_width, box_height = min(width, round(height * 4 / 3)), min(height, round(width * 4 / 3))
    return (height - box_height) // 2, (width - box_width) // 2, box_height, box_width


def coin(generator: torch.Generator) -> bool:
    """Toss a coin."""
    return bool(_below(1, generator))


def _below(room: int, generator: torch.Generator) -> int:
    return int(torch.randint(room + 1, (), generator=generator))
