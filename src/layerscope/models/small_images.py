"""ImageNet models on small images: the first layers keep the resolution that they would throw away."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Start:
    """What changes at the beginning of a model.

    Attributes
    ----------
    unstrided : tuple of str
        Convolutions that get stride 1.
    unpooled : tuple of str
        Poolings that are left out.
    resized : (str, int, int), optional
        A convolution that is replaced, its new kernel, and its new stride.
    """

    unstrided: tuple[str, ...] = ()
    unpooled: tuple[str, ...] = ()
    resized: tuple[str, int, int] | None = None


STARTS: dict[str, Start] = {
    "mobilenet_v2": Start(("features.0.0", "features.2.conv.1.0")),
    "shufflenet_v2_x1_0": Start(("conv1.0",), ("maxpool",)),
    "regnet_y_400mf": Start(("stem.0",)),
    "efficientnet_b0": Start(("features.0.0", "features.2.0.block.1.0")),
    "googlenet": Start((), ("maxpool1",), ("conv1.conv", 3, 1)),
    "convnext_tiny": Start(resized=("features.0.0", 2, 2)),
    "mobilenetv4_conv_small": Start(("conv_stem", "blocks.0.0.conv")),
    "repvit_m1": Start(("stem.conv1.c", "stem.conv2.c")),
}
"""Model → its start on images of 32 x 32, after which 2 x 2 to 4 x 4 places are left at the end.

VGGs, whose convolutions have no stride, start as they are; ResNets and DenseNets with the stem of `stem.py`.
"""


def start_small(model: nn.Module, name: str) -> None:
    """Change the beginning of ``model``, which is the architecture ``name``, in place."""
    start = STARTS.get(name, Start())
    for place in start.unstrided:
        _convolution(model, place).stride = (1, 1)
    for place in start.unpooled:
        model.set_submodule(place, nn.Identity())
    if start.resized:
        place, kernel, stride = start.resized
        old = _convolution(model, place)
        fresh = nn.Conv2d(
            old.in_channels,
            old.out_channels,
            kernel,
            stride,
            padding=(kernel - 1) // 2,
            bias=old.bias is not None,
        )
        nn.init.trunc_normal_(fresh.weight, std=0.02)  # as both architectures do about it
        model.set_submodule(place, fresh)


def _convolution(model: nn.Module, place: str) -> nn.Conv2d:
    found = model.get_submodule(place)
    assert isinstance(found, nn.Conv2d)
    return found
