"""Which of many epochs, layers and names are shown."""

from __future__ import annotations

import re
from collections.abc import Sequence

MOST_EPOCHS = 6
MOST_TICKS = 15
LONGEST_NAME = 16


def spread(values: Sequence[int], most: int = MOST_EPOCHS) -> tuple[int, ...]:
    """At most ``most`` of the sorted ``values``, evenly by rank, the first and the last among them."""
    if len(values) <= most:
        return tuple(values)
    last = len(values) - 1
    return tuple(values[round(place * last / (most - 1))] for place in range(most))


def tick_places(count: int, most: int = MOST_TICKS) -> list[int]:
    """At most ``most`` of 0 … count - 1, evenly spaced, the first and the last among them.

    The last may stand a little closer to its neighbour than the others, never on top of it.
    """
    for step in range(1, count + 1):
        places = list(range(0, count, step))
        gap = count - 1 - places[-1]
        if 0 < gap < 0.6 * step and len(places) > 1:
            places[-1] = count - 1
        elif gap:
            places.append(count - 1)
        if len(places) <= most:
            return places
    return []


def short_name(name: str, longest: int = LONGEST_NAME) -> str:
    """``name`` in at most ``longest`` characters: leading parts are abbreviated, what still exceeds is cut.

    ``features.denseblock4.denselayer16.conv2`` becomes ``f.d4.d16.conv2``.
    """
    parts = name.split(".")
    for place, part in enumerate(parts[:-1]):
        if len(".".join(parts)) <= longest:
            break
        parts[place] = _initial(part)
    short = ".".join(parts)
    return short if len(short) <= longest else "…" + short[-(longest - 1) :]


def _initial(part: str) -> str:
    if part.isdigit():
        return part
    number = re.search(r"\d*$", part)
    return part[:1] + (number.group() if number else "")
