"""The known name nearest to a misspelt one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to ``name`` (ignoring case), or the only one that contains it, or None."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    if found:
        return by_lower[found[0]]
    longer = [candidate for candidate in by_lower if len(name) > 2 and name.lower() in candidate]
    return by_lower[longer[0]] if len(longer) == 1 else None


def suggestion(name: str, known: Sequence[str]) -> str:
    """A clause that helps with an unknown ``name``: the nearest known name, or else all of them."""
    close = nearest(name, known)
    return f"did you mean {close!r}?" if close else f"known are: {', '.join(known)}"
