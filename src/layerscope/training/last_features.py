"""What a model hands to its classifier."""

from __future__ import annotations

from torch import Tensor, nn


def last_features(model: nn.Module, classifier: nn.Module, images: Tensor) -> Tensor:
    """Return the inputs (B, D) of ``classifier``, which is a part of ``model``, for images (B, C, H, W)."""
    caught: list[Tensor] = []

    def catch(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        caught.append(inputs[0])

    handle = classifier.register_forward_pre_hook(catch)
    try:
        model(images)
    finally:
        handle.remove()
    return caught[-1].flatten(1)
