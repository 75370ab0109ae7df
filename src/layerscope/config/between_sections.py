"""Values of different sections that do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerscope.config.config import Config

Conflict = tuple[str, str]
"""``Section.key``, and the rest of a sentence about it."""


def conflicts_between(config: Config) -> Iterator[Conflict]:
    """Everything that a key asks for and another section does not give."""
    yield from _validation_conflicts(config)


def _validation_conflicts(config: Config) -> Iterator[Conflict]:
    if config.data.validation:
        return
    remedy = "set Data.validation to the share of the training samples to hold out, such as 0.1"
    if config.logging.keep_best:
        yield "Logging.keep-best", f"needs a validation split, as nothing is chosen on test data; {remedy}"
    if "validation" in config.measurements.splits:
        yield "Measurements.splits", f"has validation, but there is no such split; {remedy}"
