"""One image file to one tensor of a fixed size."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from layerscope.data.augment import coin, random_box
from layerscope.errors import DataError


@dataclass(frozen=True)
class Decoder:
    """Reads an image as RGB bytes of ``size`` x ``size``, then pads it.

    The shorter side is scaled to ``shorter_side`` and the centre cut out; with a seed, ImageNet's random
    crop and flip take its place.
    """

    size: int
    shorter_side: int
    pad: int

    def __call__(self, path: bytes, seed: int | None = None) -> Tensor:
        """Return uint8 of shape (3, size + 2 pad, size + 2 pad)."""
        image = _read(path)
        framed = self._centre(image) if seed is None else self._random(image, seed)
        pixels = torch.from_numpy(np.array(framed)).permute(2, 0, 1)  # H W C -> C H W
        return F.pad(pixels, (self.pad,) * 4)

    def _centre(self, image: Image.Image) -> Image.Image:
        shorter = min(image.size)
        width, height = (int(self.shorter_side * side / shorter) for side in image.size)
        left, top = round((width - self.size) / 2), round((height - self.size) / 2)
        scaled = image.resize((width, height), Image.Resampling.BILINEAR)
        return scaled.crop((left, top, left + self.size, top + self.size))

    def _random(self, image: Image.Image, seed: int) -> Image.Image:
        generator = torch.Generator().manual_seed(seed)
        top, left, height, width = random_box(image.height, image.width, generator)
        cropped = image.crop((left, top, left + width, top + height))
        scaled = cropped.resize((self.size, self.size), Image.Resampling.BILINEAR)
        return scaled.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if coin(generator) else scaled


def _read(path: bytes) -> Image.Image:
    name = os.fsdecode(path)
    try:
        with Image.open(name) as image:
            if image.mode[0] in "IF":  # Pillow would cut off all that is above 255
                raise DataError(f"the image {name} has more than 8 bits per channel. Convert it to 8.")
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"the image {name} cannot be read: {error}. Replace or remove it.") from error
