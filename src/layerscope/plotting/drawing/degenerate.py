"""Degenerate values, whose marks are hollow: how many a figure shows, and why they are degenerate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pandas import DataFrame

DEGENERATE = "degenerate"
NOT_RECORDED = "not_recorded"
"""Stands for the reason where a table of an earlier version gives none."""

JOINT = "+"
Reasons = NDArray[Any]
"""A text for each row."""


def reasons_of(rows: DataFrame) -> Reasons:
    """Why each row is degenerate, several reasons joined by ``+``; "" for rows that are not.

    The columns ``status`` and ``reason`` may both be lacking.
    """
    reasons = np.full(len(rows), "", dtype=object)
    if "status" in rows:
        chosen = (rows["status"] == DEGENERATE).to_numpy(dtype=bool)
        reasons[chosen] = _recorded(rows[chosen]) if "reason" in rows else NOT_RECORDED
    return reasons


def _recorded(rows: DataFrame) -> Reasons:
    given = rows["reason"].astype(object).fillna("").to_numpy(dtype=object)
    return np.where(given == "", NOT_RECORDED, given)


def count_reasons(reasons: Iterable[str]) -> Counter[str]:
    """How often each reason occurs; a value of several reasons counts for each of them."""
    return Counter(reason for text in reasons for reason in text.split(JOINT) if reason)


def degenerate_note(counts: Mapping[str, int]) -> str:
    """What hollow marks mean, with the reasons and how many values each applies to."""
    if set(counts) == {NOT_RECORDED}:
        return f"○ degenerate ({counts[NOT_RECORDED]})"
    parts = (f"{reason.replace('_', ' ')} ({counts[reason]})" for reason in sorted(counts))
    return f"○ degenerate: {', '.join(parts)}"
