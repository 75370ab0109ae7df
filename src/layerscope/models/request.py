"""What a family is asked to build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = tuple[int, int, int]
"""Channels, height, width of one image."""


@dataclass(frozen=True)
class ModelRequest:
    """A model's name together with the data it has to fit.

    Attributes
    ----------
    name : str
        As in the config, including suffixes.
    shape : (C, H, W)
    num_classes : int
    stem : "imagenet" or "cifar"
    values : bool
        False when only names and shapes are wanted: nothing is downloaded, the parameters' values are free.
    final_norm : bool, optional
        Of the zoo: whether a normalisation stands before the classifier; None is as usual there.
    """

    name: str
    shape: Shape
    num_classes: int
    stem: Literal["imagenet", "cifar"] = "imagenet"
    values: bool = True
    final_norm: bool | None = None


def describe_shape(shape: tuple[int, ...]) -> str:
    """Spell a shape: ``3x32x32``."""
    return "x".join(str(size) for size in shape)


def first_line(error: Exception) -> str:
    """What an error of another library says, without its full stop and explanations."""
    text = str(error).strip().partition("\n")[0].rstrip(".!")
    speaks_for_itself = text and isinstance(error, (AssertionError, OSError, RuntimeError, ValueError))
    return text if speaks_for_itself else f"{type(error).__name__} {text}".rstrip()
