"""What published weights were made for: the size of images, their normalisation, the number of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from layerscope.models.names import split_pretrained
from layerscope.models.timm_models import PREFIX, timm_module

Pixels = tuple[float, ...]


@dataclass(frozen=True)
class PublishedForm:
    """What a published network sees: images (3, height, width) normalised with ``mean`` and ``std``."""

    size: tuple[int, int]
    mean: Pixels
    std: Pixels
    classes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return len(self.mean), *self.size


def timm_form(published: Any) -> PublishedForm:
    """The form that the record of a timm model (its ``pretrained_cfg``) tells; it reads like a mapping."""
    size = published["input_size"]
    classes = published.get("num_classes") or 0
    return PublishedForm(tuple(size[1:]), tuple(published["mean"]), tuple(published["std"]), classes)


def published_form(name: str) -> PublishedForm | None:
    """The form of the model of a config, of timm or torchvision; None where nothing was published."""
    if name.lower().startswith(PREFIX):
        timm = timm_module()
        known = timm.get_pretrained_cfg(split_pretrained(name.lower().removeprefix(PREFIX))[0])
        return None if known is None else timm_form(known.to_dict())
    import torchvision.models

    plain = split_pretrained(name)[0]
    if plain not in torchvision.models.list_models(module=torchvision.models):
        return None
    weights = torchvision.models.get_model_weights(plain).DEFAULT
    seen, (side,) = weights.transforms(), weights.transforms().crop_size
    return PublishedForm((side, side), tuple(seen.mean), tuple(seen.std), len(weights.meta["categories"]))


class PublishedInputs:
    """From a split's normalised images (mean, std) to those that a published model expects.

    Grey images get equal channels; scaling is bilinear, with a low-pass filter where it makes images smaller.
    """

    def __init__(self, form: PublishedForm, mean: Pixels, std: Pixels, device: torch.device) -> None:
        self.size, self.channels = form.size, len(form.mean)
        self.back = _channels(mean, device), _channels(std, device)
        self.there = _channels(form.mean, device), _channels(form.std, device)

    def __call__(self, images: Tensor) -> Tensor:
        """Return images (B, 3, height, width)."""
        pixels = images * self.back[1] + self.back[0]
        pixels = pixels.expand(-1, self.channels, -1, -1) if pixels.shape[1] == 1 else pixels
        scaled = F.interpolate(pixels, size=self.size, mode="bilinear", antialias=True, align_corners=False)
        found: Tensor = ((scaled - self.there[0]) / self.there[1]).to(images.dtype)
        return found


def _channels(values: Pixels, device: torch.device) -> Tensor:
    return torch.tensor(values, device=device).view(1, -1, 1, 1)
