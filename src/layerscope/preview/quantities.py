"""Numbers as people read them."""

from __future__ import annotations

_UNITS = ("", "k", "M", "G", "T", "P")


def bytes_text(count: float) -> str:
    """``860 kB``, ``12.3 MB``: three digits, powers of a thousand as in configs."""
    number, unit = _scaled(count)
    return f"{number} {unit}B"


def count_text(count: int) -> str:
    """``512``, ``214,016``, ``11.2 M``."""
    if count < 1_000_000:
        return f"{count:,}"
    number, unit = _scaled(count)
    return f"{number} {unit}"


def hours_text(hours: float) -> str:
    """``0.5``, ``12``, ``2,400``."""
    return f"{hours:,.1f}" if hours < 10 and round(hours, 1) != round(hours) else f"{hours:,.0f}"


def shape_text(shape: tuple[int, ...]) -> str:
    """``3x32x32``."""
    return "x".join(map(str, shape))


def runs_text(count: int) -> str:
    """``1 run``, ``264 runs``."""
    return plural(count, "run")


def plural(count: int, word: str) -> str:
    """A number with its noun."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _scaled(count: float) -> tuple[str, str]:
    power = 0
    while count >= 999.5 and power < len(_UNITS) - 1:
        count, power = count / 1000, power + 1
    digits = 0 if power == 0 or count >= 99.95 else 1 if count >= 9.995 else 2
    return f"{count:.{digits}f}", _UNITS[power]
