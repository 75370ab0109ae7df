"""Amounts as Slurm's users write them: memory (``16GB``) and time (``4h``, ``2-00:00:00``)."""

from __future__ import annotations

import math
import re

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt])i?b?", re.IGNORECASE)
_WORDS = re.compile(
    r"(?:([0-9]+)\s*d)?\s*(?:([0-9]+)\s*h)?\s*(?:([0-9]+)\s*m(?:in)?)?", re.IGNORECASE | re.ASCII
)
_CLOCK = re.compile(r"(?:([0-9]+)-)?([0-9]+):([0-9]{1,2}):([0-9]{1,2})")
_DAYS = re.compile(r"([0-9]+)-([0-9]{1,2})(?::([0-9]{1,2}))?")
_MINUTES_AND_SECONDS = re.compile(r"[0-9]+:[0-9]+")

_LONGEST_MINUTES = 366 * 24 * 60


def mem_bytes(size: str) -> int:
    """Bytes of a size as Slurm counts them: ``16GB``, ``16G`` and ``16GiB`` are all 16 · 2³⁰.

    Raises
    ------
    ValueError
        Not a size with a unit, or less than a megabyte.
    """
    match = _SIZE.fullmatch(size.strip())
    if match is None:
        raise ValueError(f"{size!r} is not a size such as 16GB, 16G or 500MB")
    count = int(float(match[1]) * 1024 ** (" kmgt".index(match[2].lower())))
    if count < 2**20:
        raise ValueError(f"{size!r} is less than a megabyte")
    return count


def minutes(time: str | int) -> int:
    """Whole minutes, rounded up: ``90``, ``90m``, ``4h``, ``1d12h``, ``4:00:00``, ``2-00:00:00``, ``2-12``.

    Raises
    ------
    ValueError
        Not a time, none at all, or more than a year.
    """
    count = time if isinstance(time, int) else _minutes_of_text(time.strip())
    if count < 1:
        raise ValueError(f"{time!r} leaves no time at all")
    if count > _LONGEST_MINUTES:
        raise ValueError(f"{time!r} is more than a year")
    return count


def _minutes_of_text(text: str) -> int:
    if re.fullmatch("[0-9]+", text):
        return int(text)
    if clock := _CLOCK.fullmatch(text):
        days, hours, mins, seconds = (int(part or 0) for part in clock.groups())
        return _sum(days, hours, mins) + math.ceil(seconds / 60)
    if match := _DAYS.fullmatch(text) or (_WORDS.fullmatch(text) if text else None):
        days, hours, mins = (int(part or 0) for part in match.groups())
        return _sum(days, hours, mins)
    if _MINUTES_AND_SECONDS.fullmatch(text):
        raise ValueError(f"{text!r} may mean hours or minutes; write it as {text}:00 or in minutes")
    raise ValueError(f"{text!r} is not a time such as 90 (minutes), 90m, 4h, 4:00:00 or 2-00:00:00")


def _sum(days: int, hours: int, mins: int) -> int:
    return (days * 24 + hours) * 60 + mins
