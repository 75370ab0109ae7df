"""Parts of a model's name that several families share."""

from __future__ import annotations

PRETRAINED_SUFFIX = "_pretrained"
"""Ends the name of a torchvision or timm model that starts from published weights."""


def split_pretrained(name: str) -> tuple[str, bool]:
    """Take the ``_pretrained`` suffix off: ``resnet18_pretrained`` → (``resnet18``, True)."""
    return name.removesuffix(PRETRAINED_SUFFIX), name.endswith(PRETRAINED_SUFFIX)
