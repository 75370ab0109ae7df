"""What a plain YAML word means here: which words are numbers, booleans, or "not set".

PyYAML follows YAML 1.1, where ``1e-3`` is text, ``010`` is eight, ``12:30`` is 750 and ``no`` is False.
Here every spelling of a number is a number, and ``None`` is "not set" as ``null`` is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from yaml.resolver import BaseResolver

_TAG = "tag:yaml.org,2002:"
MERGE_TAG = f"{_TAG}merge"

WORDS: tuple[tuple[str, re.Pattern[str], list[str]], ...] = (
    (f"{_TAG}bool", re.compile(r"^(?:true|True|false|False)$"), list("tTfF")),
    (f"{_TAG}null", re.compile(r"^(?:~|null|Null|NULL|None|)$"), ["~", "n", "N", ""]),
    (f"{_TAG}int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789")),
    (
        f"{_TAG}float",
        re.compile(
            r"^[-+]?(?:(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+"
            r"|\.(?:inf|Inf|INF))$|^\.(?:nan|NaN|NAN)$"
        ),
        list("-+.0123456789"),
    ),
    (MERGE_TAG, re.compile(r"^<<$"), ["<"]),
)
"""Tag, pattern and possible first characters of every plain word that is not text."""


class GrammarResolver(BaseResolver):
    """Gives every plain YAML word its tag."""


for _tag, _pattern, _first in WORDS:
    GrammarResolver.add_implicit_resolver(_tag, _pattern, _first)


def _number(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


VALUES: dict[str, Callable[[str], Any]] = {
    f"{_TAG}str": str,
    f"{_TAG}bool": {"true": True, "True": True, "false": False, "False": False}.__getitem__,
    f"{_TAG}null": lambda _text: None,
    f"{_TAG}int": int,
    f"{_TAG}float": _number,
}
"""Tag → Python value of a word that carries it."""
