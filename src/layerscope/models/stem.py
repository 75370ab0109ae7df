"""The first convolution of an ImageNet model, fitted to other channels or to small images."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerscope.errors import ModelError

CIFAR_STEMS: dict[str, tuple[str, str, str]] = {
    "resnet": ("conv1", "maxpool", "fan_out"),
    "resnext": ("conv1", "maxpool", "fan_out"),
    "wide_resnet": ("conv1", "maxpool", "fan_out"),
    "densenet": ("features.conv0", "features.pool0", "fan_in"),
}
"""Start of the model's name → its first convolution, the pooling after it, and its initialisation."""


def fit_channels(model: nn.Module, channels: int, *, pretrained: bool) -> None:
    """Replace the first convolution by one for ``channels`` channels; kernel, stride, padding and bias stay.

    Pretrained: w'_c = (1/C) Σ_k w_k, so that an image whose channels are all equal gives the same response.
    Otherwise fresh values at the architecture's own scale.
    """
    name, old = _first_convolution(model)
    if old.in_channels == channels:
        return
    new = _like(old, channels)
    with torch.no_grad():
        if old.bias is not None and new.bias is not None:
            new.bias.copy_(old.bias)
        new.weight.copy_(_spread(old.weight, channels) if pretrained else _redrawn(old.weight, channels))
    model.set_submodule(name, new)


def use_cifar_stem(model: nn.Module, model_name: str) -> None:
    """Start with a 3x3 convolution at full resolution, without pooling, as usual for 32x32 images.

    Raises
    ------
    ModelError
        Nobody has agreed on such a stem for this model.
    """
    starts = [start for start in CIFAR_STEMS if model_name.startswith(start)]
    if not starts:
        raise ModelError(
            f"stem: cifar is not defined for {model_name}; it is for {', '.join(CIFAR_STEMS)} "
            "of torchvision. Use stem: imagenet."
        )
    convolution, pooling, mode = CIFAR_STEMS[starts[0]]
    old = model.get_submodule(convolution)
    assert isinstance(old, nn.Conv2d)
    new = nn.Conv2d(old.in_channels, old.out_channels, kernel_size=3, stride=1, padding=1, bias=False)
    # Dispatch by name: the type of ``mode`` is a Literal that a table of strings cannot carry.
    nn.init.kaiming_normal_(
        new.weight, mode="fan_out" if mode == "fan_out" else "fan_in", nonlinearity="relu"
    )
    model.set_submodule(convolution, new)
    model.set_submodule(pooling, nn.Identity())


def _first_convolution(model: nn.Module) -> tuple[str, nn.Conv2d]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module
    raise ModelError("the model has no convolution whose input channels could be fitted to the data.")


def _like(old: nn.Conv2d, channels: int) -> nn.Conv2d:
    return nn.Conv2d(
        channels,
        old.out_channels,
        kernel_size=(old.kernel_size[0], old.kernel_size[1]),
        stride=(old.stride[0], old.stride[1]),
        padding=old.padding if isinstance(old.padding, str) else (old.padding[0], old.padding[1]),
        dilation=(old.dilation[0], old.dilation[1]),
        bias=old.bias is not None,
    )


def _spread(weight: Tensor, channels: int) -> Tensor:
    total = weight.sum(dim=1, keepdim=True)  # (out, 1, kh, kw)
    return total.expand(-1, channels, -1, -1) / channels


def _redrawn(weight: Tensor, channels: int) -> Tensor:
    out, _, height, width = weight.shape
    return torch.randn(out, channels, height, width) * weight.std()
