"""Key ``Optimizer.lr-groups``: learning rates of single modules, as multiples of the run's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from layerscope.config.fields import Expected


def _pairs(value: Any) -> Any:
    """A mapping as pairs in the order of their names, which can be hashed; what is not set is left out."""
    if isinstance(value, Mapping):
        return tuple(sorted((str(name), factor) for name, factor in value.items() if factor is not None))
    return value


def _checked(groups: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, float], ...]:
    for name, factor in groups:
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or factor <= 0:
            raise ValueError(f"{name!r} must be a number above 0 (a multiple of lr), not {factor!r}")
        if not name:
            raise ValueError("'' is the end of every name; for all modules, change lr")
    return tuple((name, float(factor)) for name, factor in groups)


LrGroups = Annotated[
    tuple[tuple[str, Any], ...],
    BeforeValidator(_pairs),
    AfterValidator(_checked),
    PlainSerializer(dict),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number", "exclusiveMinimum": 0}}),
    Expected("a mapping of module names to multiples of lr, as {^fc: 0.1}"),
]
"""Pairs of the end of a module's name (with ``^`` before it) and a multiple of ``lr``."""
