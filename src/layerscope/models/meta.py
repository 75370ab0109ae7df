"""A model for its names and shapes alone: built on the meta device, tried with tensors that cost nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import init
from torch.overrides import TorchFunctionMode

RANDOM_FILLS = (init.kaiming_uniform_, init.normal_, init.uniform_, Tensor.normal_, Tensor.uniform_)
"""What initialisations spend their time in (`torch.nn.init` names its tensor; for methods it comes first)."""

FEW_VALUES = 20_000_000
SMALL_IMAGE = 64 * 64
"""A model of so few values takes two images with so few pixels in a fraction of a second."""


def build_on_meta(build: Callable[[], nn.Module]) -> nn.Module:
    """Return what ``build`` returns, with all parameters and buffers on the meta device.

    Some constructors compute with values of tensors (regnet its widths), which meta tensors do not have. They
    are run on the CPU without the random fills, so that large parameters cost little time, and memory that is
    asked for but never touched.
    """
    try:
        with torch.device("meta"):
            return build()
    except Exception:  # whatever it was: if it is the constructor's own error, it comes again
        with _WithoutRandomFills():
            return build().to("meta")


def trial_device(model: nn.Module, shape: tuple[int, ...]) -> Literal["cpu", "meta"]:
    """Where two images of ``shape`` (C, H, W) go through ``model`` sooner, when only shapes are wanted.

    The first computation on the meta device imports torch's compiler, which takes seconds; zeros through a
    small model do not.
    """
    values = sum(tensor.numel() for tensor in (*model.parameters(), *model.buffers()))
    return "cpu" if values <= FEW_VALUES and shape[1] * shape[2] <= SMALL_IMAGE else "meta"


def blank(tensor: Tensor, device: Literal["cpu", "meta"]) -> Tensor:
    """Zeros in the shape of ``tensor``, or on the meta device nothing but that shape."""
    return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)


class _WithoutRandomFills(TorchFunctionMode):
    """While active, random fills leave tensors as they are."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func in RANDOM_FILLS:
            return named["tensor"] if "tensor" in named else args[0]
        return func(*args, **named)
