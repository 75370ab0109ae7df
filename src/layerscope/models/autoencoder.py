"""Convolutional autoencoders, and their encoder as a classifier."""

from __future__ import annotations

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

from layerscope.config.own_models import Architecture, parse_own_name
from layerscope.models.request import ModelRequest

LATENT = 64
"""Dimensions of the code."""


class Autoencoder(nn.Module):
    """Encoder, code, decoder, and a linear classifier on the code.

    Called, it returns the logits (B, K) of images (B, C, H, W), as every model; the decoder runs too, so that
    its layers can be measured.
    """

    def __init__(self, encoder: nn.Sequential, decoder: nn.Sequential, num_classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.fc = nn.Linear(LATENT, num_classes)

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return what is left of images (B, C, H, W) after the code (B, 64)."""
        reconstructed: Tensor = self.decoder(self.encoder(images))
        return reconstructed

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (B, K)."""
        code = self.encoder(images)
        self.decoder(code)
        logits: Tensor = self.fc(code)
        return logits


def build_autoencoder(request: ModelRequest) -> nn.Module:
    """Return ``ae``: ``encoder, decoder, fc``; or ``aec``: ``encoder, fc``.

    The encoder is ``b0 … b{n-1}`` (Conv 3x3 with stride 2, BatchNorm, ReLU; channels double from block to
    block), ``flatten`` and ``code`` (linear, 64). The decoder mirrors it: a linear layer, then blocks that
    scale up to the next size (nearest neighbour), Conv 3x3, BatchNorm, ReLU; the last one ends with its
    convolution, as normalised pixels have any sign.
    """
    architecture = parse_own_name(request.name)
    channels, height, width = request.shape
    widths = [channels, *(architecture.width * 2**index for index in range(architecture.depth))]
    sizes = [(height, width)]
    for _ in range(architecture.depth):
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    encoder = _encoder(architecture, widths, sizes[-1])
    if architecture.family == "aec":
        head = nn.Linear(LATENT, request.num_classes)
        return nn.Sequential(OrderedDict([("encoder", encoder), ("fc", head)]))
    return Autoencoder(encoder, _decoder(architecture, widths, sizes), request.num_classes)


def _encoder(architecture: Architecture, widths: list[int], smallest: tuple[int, int]) -> nn.Sequential:
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    for index, (before, after) in enumerate(pairwise(widths)):
        layers[f"b{index}"] = _block(architecture, before, after, stride=2)
    layers["flatten"] = nn.Flatten()
    layers["code"] = nn.Linear(widths[-1] * smallest[0] * smallest[1], LATENT)
    return nn.Sequential(layers)


def _decoder(architecture: Architecture, widths: list[int], sizes: list[tuple[int, int]]) -> nn.Sequential:
    height, width = sizes[-1]
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        expand=nn.Linear(LATENT, widths[-1] * height * width),
        unflatten=nn.Unflatten(1, (widths[-1], height, width)),
    )
    steps = zip(pairwise(reversed(widths)), reversed(sizes[:-1]), strict=True)
    for index, ((before, after), size) in enumerate(steps):
        layers[f"up{index}"] = nn.Upsample(size=size, mode="nearest")
        last = index == len(widths) - 2
        layers[f"b{index}"] = (
            nn.Conv2d(before, after, kernel_size=3, padding=1)
            if last
            else _block(architecture, before, after, stride=1)
        )
    return nn.Sequential(layers)


def _block(architecture: Architecture, inputs: int, outputs: int, *, stride: int) -> nn.Sequential:
    bias = architecture.bias or not architecture.batch_norm
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=bias)
    )
    if architecture.batch_norm:
        layers["bn"] = nn.BatchNorm2d(outputs)
    layers["relu"] = nn.ReLU()
    return nn.Sequential(layers)
