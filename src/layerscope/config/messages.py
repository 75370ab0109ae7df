"""What pydantic found wrong, as sentences about the file: where, what was given, what it must be."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Sequence, Set
from itertools import groupby
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from layerscope.config.document import Document
from layerscope.config.fields import Expected
from layerscope.config.names import KEY_ALIASES, SECTIONS
from layerscope.config.nearest import nearest, suggestion
from layerscope.config.schema import field_of, holds_keys, known_keys
from layerscope.config.sections.base import Conflicts
from layerscope.errors import Problem

_LONGEST_VALUE = 60


def problems_of(
    error: ValidationError,
    document: Document,
    unknown_sections: Sequence[str] = (),
    *,
    ignored: Set[tuple[str, ...]] = frozenset(),
) -> list[Problem]:
    """Every mistake in ``error``, one per key, located in ``document``; those at ``ignored`` places are none.

    What is missing only because an unknown key or section misspells it is no mistake of its own.
    """
    details = sorted(error.errors(include_url=False), key=_place)
    misspelt = _misspelt(details) | {(nearest(section, SECTIONS),) for section in unknown_sections} | ignored
    return [
        problem
        for place, found in groupby(details, key=_place)
        if place not in misspelt
        for problem in _problems_at(place, list(found), document)
    ]


def shown(value: Any) -> str:
    """A value as the user would write it, cut when long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def _place(detail: ErrorDetails) -> tuple[str, ...]:
    """Section and key, and its own key if it holds some; list positions and names of alternatives follow."""
    parts = tuple(str(part) for part in detail["loc"][:3])
    return parts if len(parts) == 3 and holds_keys(parts[0], parts[1]) else parts[:2]


def _misspelt(details: Sequence[ErrorDetails]) -> set[tuple[str | None, ...]]:
    """Required keys that are only missing because another key of the section misspells them."""
    unknown = [_place(detail) for detail in details if detail["type"] == "extra_forbidden"]
    meant = {(*around, nearest(key, _keys(around))) for *around, key in unknown}
    missing = {_place(detail) for detail in details if detail["type"] == "missing"}
    return {place for place in meant if place in missing}


def _problems_at(place: tuple[str, ...], found: list[ErrorDetails], document: Document) -> Iterator[Problem]:
    cause = found[0].get("ctx", {}).get("error")
    if isinstance(cause, Conflicts):
        for key, message in cause.found:
            yield document.problem((*place, *key.split(".")), f"{key} {message}")
    else:
        yield document.problem(_position(place, found), _sentence(place, found, document))


def _sentence(place: tuple[str, ...], found: list[ErrorDetails], document: Document) -> str:
    first, key = found[0], place[-1]
    if len(place) == 1:
        return _section_sentence(key, first)
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r} in {'.'.join(place[:-1])}; {suggestion(key, _keys(place[:-1]))}"
    if first["type"] == "missing" and len(first["loc"]) == len(place):
        around = _value_at(place[:-1], document.data) or {}  # an empty section is None
        return f"{key} is not set" if key in around else f"{'.'.join(place[:-1])} lacks {key}"
    written = _written(found)
    if written:
        return f"{key}: {written}"
    return _mismatch(place, _item(found), document)


def _section_sentence(section: str, detail: ErrorDetails) -> str:
    if detail["type"] == "missing":
        return f"the section {section} is missing"
    return f"{section} must hold keys with values ('key: value'), not {shown(detail['input'])}"


def _mismatch(place: tuple[str, ...], item: int | None, document: Document) -> str:
    """The sentence "<key> must be …, not …", with the nearest known word when words are expected."""
    key, value = place[-1], _value_at(place, document.data)
    field = field_of(place)
    words = _choices(field.annotation)
    wanted = _wanted(field, words)
    if item is None or not isinstance(value, list):
        return f"{key} must be {wanted}, not {shown(value)}{_hint(value, words)}"
    return f"{key} must be {wanted}; item {item + 1} is {shown(value[item])}{_hint(value[item], words)}"


def _value_at(place: Sequence[str], tree: Any) -> Any:
    return functools.reduce(operator.getitem, place, tree)


def _wanted(field: FieldInfo, words: tuple[str, ...]) -> str:
    described = _described((*field.metadata, field.annotation))
    if described:
        return described
    listing = f"{', '.join(words[:-1])} or {words[-1]}"
    return f"a list of {listing}" if _holds_tuple(field.annotation) else listing


def _hint(value: Any, words: tuple[str, ...]) -> str:
    close = nearest(value, words) if isinstance(value, str) else None
    return f"; did you mean {close!r}?" if close else ""


def _written(found: list[ErrorDetails]) -> str | None:
    """The sentence of a lookup of our own, which knows better than any general one."""
    for detail in found:
        if detail["type"] == "value_error":
            return str(detail["ctx"]["error"])
    return None


def _item(found: list[ErrorDetails]) -> int | None:
    """The position in the list of the first item that is wrong; None when the list as a whole is."""
    for detail in found:
        position = detail["loc"][-1]
        if isinstance(position, int) and detail["type"] != "missing":
            return position
    return None


def _position(place: tuple[str, ...], found: list[ErrorDetails]) -> tuple[str | int, ...]:
    item = _item(found)
    return place if item is None else (*place, item)


def _keys(around: Sequence[str]) -> tuple[str, ...]:
    """The keys to propose, as users write them."""
    return (*(known_keys(".".join(around)) or ()), *KEY_ALIASES.get(around[0], ()))


def _described(parts: Sequence[Any]) -> str | None:
    """The first :class:`Expected` in metadata and, going inwards, in the types."""
    for part in parts:
        if isinstance(part, Expected):
            return part.words
    for part in parts:
        inner = (*getattr(part, "__metadata__", ()), *get_args(part))
        if inner and (words := _described(inner)):
            return words
    return None


def _choices(annotation: Any) -> tuple[str, ...]:
    """The words that a Literal in ``annotation`` allows."""
    if get_origin(annotation) is Literal:
        return tuple(word for word in get_args(annotation) if isinstance(word, str))
    return tuple(word for part in get_args(annotation) for word in _choices(part))


def _holds_tuple(annotation: Any) -> bool:
    origin = get_origin(annotation)
    return origin is tuple or (origin is Annotated and _holds_tuple(get_args(annotation)[0]))
