"""The views of contrastive learning: crop and resize, mirror, colour jitter, grey (SimCLR, arXiv:2002.05709).

Whole batches on the device; every draw comes from the generator given, at once for the whole pass, so that
it depends on neither the batch size nor the device. What differs from the paper's code, so that a view is
one resampling and one linear map of colours: the jitter's steps have a fixed order, values are cut to black
and white once at the end, and a crop that would be larger than the image is cut. As in the paper's
experiments on small images there is no blur and the strength of the jitter is 0.5 (its appendix B.9).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.data.augment import Shifts, draw_shifts
from layerscope.data.catalog import Augmentation

BRIGHTNESS = CONTRAST = SATURATION = 0.4
HUE = 0.1
"""Largest change: of the first three as a factor 1 ± x, of the hue as a share of the whole circle."""

JITTERED, GREY = 0.8, 0.2
"""Shares of the views whose colours are jittered, and that lose their colour."""

_LUMA = (0.299, 0.587, 0.114)
_YIQ = torch.tensor([_LUMA, (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135)])

S = TypeVar("S")


@dataclass(frozen=True)
class Views:
    """How views of the images of a split are made.

    Attributes
    ----------
    area
        The smallest share of the image's area that a crop shows; the largest is all of it.
    mirrored
        Whether half of the views are mirrored: not where that makes another symbol.
    white
        The value of white in the stored images; None when they are no intensities: then nothing is cut.
    """

    area: float
    mirrored: bool
    white: float | None

    def draw(self, count: int, channels: int, generator: torch.Generator, device: torch.device) -> DrawnViews:
        """Draw the views of ``count`` images with that many channels."""
        draws = torch.rand(count, 12, generator=generator, device=generator.device).cpu()
        grids = _boxes(draws[:, :5], self.area, mirrored=self.mirrored)
        gain, matrix = _jitter(draws[:, 5:], channels)
        return DrawnViews(grids.to(device), gain.to(device), matrix.to(device), self.white)


@dataclass(frozen=True)
class DrawnViews:
    """The views of a pass: affine maps (N, 2, 3), brightness and contrast (N, 2), colour maps (N, C, C)."""

    grids: Tensor
    gain: Tensor
    matrix: Tensor
    white: float | None

    def apply(self, images: Tensor, window: slice) -> Tensor:
        """Return the views of the images (B, C, H, W) at the places ``window`` of the pass, in float32."""
        pixels = images.float()
        grid = F.affine_grid(self.grids[window], list(pixels.shape), align_corners=False)
        views = F.grid_sample(pixels, grid, padding_mode="border", align_corners=False)
        brightness, contrast = (factor.view(-1, 1, 1, 1) for factor in self.gain[window].unbind(1))
        views = views * brightness
        mean = grey(views).mean(dim=(2, 3), keepdim=True)  # (B, 1, 1, 1)
        views = contrast * views + (1 - contrast) * mean
        coloured = torch.einsum("bij,bjhw->bihw", self.matrix[window], views)
        return coloured if self.white is None else coloured.clamp(0, self.white)


def grey(images: Tensor) -> Tensor:
    """Luma of images (B, C, H, W) with three channels, else the mean of the channels: (B, 1, H, W)."""
    if images.shape[1] != len(_LUMA):
        return images.mean(dim=1, keepdim=True)
    return torch.einsum("c,bchw->bhw", images.new_tensor(_LUMA), images)[:, None]


def with_views(split: S, area: float) -> S:
    """Return a split of the library whose augmentation makes views."""
    kind: Augmentation = split.augmentation  # type: ignore[attr-defined]
    images = getattr(split, "images", None)
    intensities = images is None or images.dtype == torch.uint8
    views = Views(area, kind.endswith("flip"), 255.0 if intensities else None)
    changed: S = replace(split, augmentation=views)  # type: ignore[type-var]
    return changed


def draw(
    kind: Augmentation | Views,
    count: int,
    channels: int,
    generator: torch.Generator,
    device: torch.device,
) -> Shifts | DrawnViews:
    """Draw what is done to ``count`` images in one pass."""
    if isinstance(kind, Views):
        return kind.draw(count, channels, generator, device)
    return draw_shifts(kind, count, generator, device)


def _boxes(draws: Tensor, smallest: float, *, mirrored: bool) -> Tensor:
    """Affine maps from a view to the image: area uniform, log aspect ratio uniform in log 3/4 … log 4/3."""
    area, ratio, across, down, flip = draws.double().unbind(1)
    area = smallest + (1 - smallest) * area
    aspect = torch.exp((2 * ratio - 1) * math.log(4 / 3))
    width, height = ((area * power).sqrt().clamp(max=1) for power in (aspect, 1 / aspect))
    sign = torch.where(flip < 0.5, -1.0, 1.0) if mirrored else torch.ones_like(flip)
    nothing = torch.zeros_like(area)
    rows = (
        (sign * width, nothing, (1 - width) * (2 * across - 1)),
        (
            nothing,
            height,
            (1 - height) * (2 * down - 1),
        ),
    )
    return torch.stack([torch.stack(row, dim=1) for row in rows], dim=1).float()


def _jitter(draws: Tensor, channels: int) -> tuple[Tensor, Tensor]:
    """Brightness and contrast (N, 2), and the map of colours (N, C, C): grey · hue · saturation."""
    jittered, brightness, contrast, saturation, hue, loses_colour, _ = draws.unbind(1)
    active = (jittered < JITTERED).float()
    factors = [
        1 + active * strength * (2 * drawn - 1)
        for drawn, strength in ((brightness, BRIGHTNESS), (contrast, CONTRAST), (saturation, SATURATION))
    ]
    gain = torch.stack(factors[:2], dim=1)
    if channels != len(_LUMA):
        return gain, torch.eye(channels).expand(len(draws), -1, -1)
    fade = torch.where(loses_colour < GREY, 0.0, factors[2])
    turned = _hue_turns(active * HUE * (2 * hue - 1))
    return gain, fade[:, None, None] * (turned - _to_grey()) + _to_grey()


def _hue_turns(share: Tensor) -> Tensor:
    """Rotations (N, 3, 3) of the colour plane of YIQ; brightness stays."""
    angle = 2 * math.pi * share
    turn = torch.eye(3).repeat(len(share), 1, 1)
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 2, 1], turn[:, 1, 2] = angle.sin(), -angle.sin()
    return torch.linalg.inv(_YIQ) @ turn @ _YIQ


def _to_grey() -> Tensor:
    return torch.tensor(_LUMA).expand(3, 3)
