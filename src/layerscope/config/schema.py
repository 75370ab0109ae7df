"""Which sections, keys, and keys within keys a config has, read off its models."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, get_args

from pydantic.fields import FieldInfo

from layerscope.config.config import Config
from layerscope.config.names import NESTED_KEYS, SCREEN_SECTION
from layerscope.config.sections.base import Section
from layerscope.config.sections.screen import ScreenConfig


@functools.cache
def section_model(section: str) -> type[Section]:
    """The model of a section, or of a key that holds keys of its own (``Slurm.train``)."""
    if section == SCREEN_SECTION:
        return ScreenConfig
    name, *inner = section.split(".")
    model = _section_in(Config.model_fields[name.lower()].annotation)
    for key in inner:
        assert model is not None
        model = _section_in(model.model_fields[key.replace("-", "_")].annotation)
    assert model is not None
    return model


@functools.cache
def known_keys(section: str) -> tuple[str, ...] | None:
    """The keys of a section, in their order; None for a key of it that takes any (``Slurm.extra``)."""
    name, _, key = section.partition(".")
    if key and key in NESTED_KEYS[name] and not _is_section(section_model(name), key):
        return None
    fields = section_model(section).model_fields
    return tuple(field.alias or attribute for attribute, field in fields.items())


@functools.cache
def optional_sections() -> tuple[str, ...]:
    """The sections that a config need not have."""
    fields = Config.model_fields.values()
    return tuple(field.alias for field in fields if field.alias and not field.is_required())


def is_known(section: str, key: str) -> bool:
    """Whether a section has the key."""
    known = known_keys(section)
    return known is None or key in known


def holds_keys(section: str, key: str) -> bool:
    """Whether a key of a section holds keys of its own."""
    return key in NESTED_KEYS.get(section, ())


def set_keys(content: Any, section: str) -> Any:
    """A section's content without the keys that are None.

    What validation has to refuse is left to it: unknown keys, and anything but a mapping.
    """
    if content is None:
        return {}
    if not isinstance(content, dict):
        return content
    return {
        key: set_keys(value, f"{section}.{key}") if holds_keys(section, key) else value
        for key, value in content.items()
        if value is not None or not is_known(section, key)
    }


def field_of(path: Sequence[str]) -> FieldInfo:
    """The field of a key, given its section and itself."""
    fields = section_model(".".join(path[:-1])).model_fields.values()
    return next(field for field in fields if field.alias == path[-1])


def _is_section(model: type[Section], key: str) -> bool:
    return _section_in(model.model_fields[key.replace("-", "_")].annotation) is not None


def _section_in(annotation: Any) -> type[Section] | None:
    """The model that a field's values are of, when it is one of ours; ``X | None`` is X."""
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, Section):
            return part
    return None
