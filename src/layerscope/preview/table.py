"""Text in columns, within a width."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

GAP = "  "

_AMOUNT = re.compile(r"(?<=\d) (?=[kMGTP]?B\b)")
_UNBROKEN = "\N{NO-BREAK SPACE}"


def columns(rows: Sequence[Sequence[str]], *, right: Iterable[int] = ()) -> list[str]:
    """Rows with their cells under each other; the columns numbered in ``right`` end at the same place."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    ends = set(right)
    return [
        GAP.join(
            cell.rjust(width) if number in ends else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def without_empty(rows: Sequence[Sequence[str]], *, titles: bool = False) -> list[list[str]]:
    """Rows without the columns in which none of them says anything but, perhaps, a title in the first row."""
    said = [any(cells[1 if titles else 0 :]) for cells in zip(*rows, strict=True)]
    return [[cell for cell, kept in zip(row, said, strict=True) if kept] for row in rows]


def ends_of(items: Sequence[str], most: int, word: str) -> list[str]:
    """All items when they are few; else the first and last, with the number of those between."""
    if len(items) <= most:
        return list(items)
    first = most - most // 2
    hidden = len(items) - most
    return [*items[:first], f"… {hidden:,} more {word} …", *items[len(items) - most // 2 :]]


def wrapped(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Paragraphs broken at blanks, never within a word or an amount; later lines begin with ``hanging``."""
    lines = []
    for number, paragraph in enumerate(text.splitlines()):
        following = indent if hanging is None else hanging
        broken = textwrap.wrap(
            _AMOUNT.sub(_UNBROKEN, paragraph),
            width,
            initial_indent=following if number else indent,
            subsequent_indent=following,
            break_long_words=False,
            break_on_hyphens=False,
        )
        lines += [line.replace(_UNBROKEN, " ") for line in broken]
    return lines


def listed(values: Sequence[object], width: int, *, count: bool = True) -> str:
    """Values joined by commas; what is too long for one line loses its middle, or its end."""
    words = [_word(value) for value in values]
    text, number = ", ".join(words), f" ({len(values)} values)" if count else ""
    for kept in range(len(words) - 1, 0, -1):
        if len(text) <= width:
            return text
        text = f"{', '.join(words[:kept])}, … {words[-1]}{number}"
    if len(text) <= width:
        return text
    more = f" … and {len(words) - 1} more" if len(words) > 1 else " …"
    return words[0][: width - len(more)] + more


def _word(value: object) -> str:
    """A list without the quotes of its texts, as one writes it."""
    return f"[{', '.join(map(str, value))}]" if isinstance(value, (list, tuple)) else str(value)
