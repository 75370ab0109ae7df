"""Does a model take the data's images and return logits for its classes?"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn

from layerscope.errors import ModelError
from layerscope.models.meta import blank, trial_device
from layerscope.models.request import Shape, describe_shape, first_line

TRIED_SIZES = (32, 64, 96, 128, 224, 299)
"""Heights and widths proposed when the data's do not fit; most models were designed for 224 or 299."""


def check_fit(
    model: nn.Module, name: str, shape: Shape, num_classes: int, *, shapes_only: bool = False
) -> None:
    """Send two images through ``model``.

    Parameters
    ----------
    model : nn.Module
    name : str
        For messages.
    shape : (C, H, W)
    num_classes : int
        K.
    shapes_only : bool
        Do it with zeros or on the meta device, whichever is sooner; for models that keep nothing of what
        they saw.

    Raises
    ------
    ModelError
        It cannot take the shape (sizes that it takes are named), or does not return (2, K) logits.
    """
    run = partial(_run_shapes if shapes_only else _run, model)
    try:
        logits = run(shape)
    except Exception as error:
        remedy = _remedy(run, shape[0])
        raise ModelError(
            f"{name} cannot take {describe_shape(shape)} images: {first_line(error)}. {remedy}"
        ) from error
    if not isinstance(logits, Tensor):
        raise ModelError(f"{name} returns {type(logits).__name__} instead of a tensor of logits.")
    if tuple(logits.shape) != (2, num_classes):
        raise ModelError(
            f"{name} returns {describe_shape(tuple(logits.shape))} values for two images; "
            f"logits for {num_classes} classes are 2x{num_classes}."
        )


def _run(model: nn.Module, shape: Shape) -> object:
    on_meta = any(tensor.is_meta for tensor in _tensors(model).values())
    with _evaluating(model):
        return model(torch.zeros(2, *shape, device="meta" if on_meta else "cpu"))


def _run_shapes(model: nn.Module, shape: Shape) -> object:
    device = trial_device(model, shape)
    shells = {name: blank(tensor, device) for name, tensor in _tensors(model).items()}
    with _evaluating(model):
        return torch.func.functional_call(model, shells, torch.zeros(2, *shape, device=device))


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Look without a trace: every module gets its own mode back, and no random number is used up."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        for module, training in modes:
            module.training = training


def _remedy(run: Callable[[Shape], object], channels: int) -> str:
    sizes = [size for size in TRIED_SIZES if _works(run, (channels, size, size))]
    if not sizes:
        return "Choose another model, or other data."
    taken = ", ".join(f"{size}x{size}" for size in sizes)
    return (
        f"It takes {taken}: choose another model, or data of such a size (Data.pad enlarges small images, "
        "Data.image-size those of folders)."
    )


def _works(run: Callable[[Shape], object], shape: Shape) -> bool:
    try:
        run(shape)
    except Exception:
        return False
    return True
