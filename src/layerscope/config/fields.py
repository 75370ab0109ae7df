"""The kinds of values a config holds, each with the words that describe it to the user."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field


@dataclass(frozen=True)
class Expected:
    """What a value has to be, as the end of the sentence "<key> must be …"."""

    words: str


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def kebab_case(value: Any) -> Any:
    """Text in lower case, with ``-`` for ``_``."""
    return value.lower().replace("_", "-") if isinstance(value, str) else value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else _tuple(value)


def _path(value: Any) -> Any:
    if isinstance(value, str):
        if not value.strip() or re.search(r"[\x00-\x1f\x7f]", value):
            raise ValueError(f"{value!r} is not a path (empty, or with control characters)")
        return Path(value).expanduser()
    return value


def _once_each(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


AnyCase = BeforeValidator(_lower)
"""Text whose case is ignored."""

AsTuple = BeforeValidator(_tuple)
"""A list."""

OneOrMore = BeforeValidator(_one_or_more)
"""A list, or a text that stands for the list of itself alone."""

OnceEach = AfterValidator(_once_each)
"""Repetitions are dropped, the order is kept."""


def canonical(lookup: Callable[[str], str]) -> BeforeValidator:
    """Text that ``lookup`` turns into a known id (or raises ValueError)."""
    return BeforeValidator(lambda value: lookup(value) if isinstance(value, str) else value)


Text = Annotated[str, Expected("text (a number in quotes)")]
Flag = Annotated[bool, Expected("True or False")]
Location = Annotated[Path, BeforeValidator(_path), Expected("a path (a number in quotes)")]
Count = Annotated[int, Field(ge=0), Expected("a whole number of at least 0")]
Positive = Annotated[int, Field(ge=1), Expected("a whole number of at least 1")]
AboveZero = Annotated[float, Field(gt=0), Expected("a number above 0")]
NotNegative = Annotated[float, Field(ge=0), Expected("a number of at least 0")]
Fraction = Annotated[float, Field(ge=0, le=1), Expected("a number from 0 to 1")]
BelowOne = Annotated[float, Field(ge=0, lt=1), Expected("a number from 0 to below 1")]
