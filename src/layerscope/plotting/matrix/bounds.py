"""What the values of many runs are compared with: what can be reached, and the ceilings of estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from layerscope.plotting.drawing.axes import draw_bound
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import ABOVE, BELOW, REFERENCE_COLOUR, LineStyle

if TYPE_CHECKING:
    from pandas import DataFrame, Series

NEAR = 1.6
"""A ceiling that is further above the values, by this factor, is not drawn but named in a note."""


def draw_bounds(
    sheet: Sheet,
    axes: Axes,
    sets: Sequence[DataFrame],
    colours: Sequence[str],
    reference: str,
    ceiling: str,
    x: str | None = None,
) -> None:
    """Draw the columns ``reference`` and ``ceiling`` of each set of rows, where there are such columns.

    Parameters
    ----------
    reference, ceiling
        What the columns hold; without a name they are not drawn.
    x
        The column that they are drawn along; without one they are levels across the panel.
    """
    _draw(sheet, axes, sets, colours, "reference", reference, BELOW, x, math.inf)
    _draw(sheet, axes, sets, colours, "ceiling", ceiling, ABOVE, x, NEAR)


def _draw(
    sheet: Sheet,
    axes: Axes,
    sets: Sequence[DataFrame],
    colours: Sequence[str],
    column: str,
    name: str,
    style: LineStyle,
    x: str | None,
    near: float,
) -> None:
    """One grey line where all sets agree, else one of each in its colour; nothing of what is 0 everywhere."""
    courses = [_course(rows, column, x) for rows in sets]
    found = [course for course in courses if (course > 0).any()]
    if not name or not found:
        return
    lowest = min(float(course.min()) for course in found)
    if lowest > near * _highest(sets):
        sheet.notes.add(f"{name}, above the panel: {lowest:.3g}")
        return
    shown = [colour for colour, course in zip(colours, courses, strict=True) if (course > 0).any()]
    if all(_agree(found[0], course) for course in found):
        found, shown = [max(found, key=len)], [REFERENCE_COLOUR]
    for course, colour in zip(found, shown, strict=True):
        draw_bound(axes, course.index.to_numpy(dtype=float), course.to_numpy(dtype=float), style, colour)
    sheet.references[name] = style


def _course(rows: DataFrame, column: str, x: str | None) -> Series[float]:
    """Its mean along x, of levels over everything; empty where there is nothing finite."""
    finite = rows[np.isfinite(rows[column])] if column in rows else rows[:0].assign(**{column: np.nan})
    if x is None:
        return finite[[column]].mean().dropna().reset_index(drop=True)
    return finite.groupby(x, observed=True)[column].mean()


def _agree(one: Series[float], other: Series[float]) -> bool:
    """Whether two courses are the same wherever both are."""
    both = one.index.intersection(other.index)
    return np.allclose(one[both], other[both], rtol=1e-9)


def _highest(sets: Sequence[DataFrame]) -> float:
    """The largest finite value; infinity where there is none, so that every bound is near."""
    values = np.concatenate([rows["value"].to_numpy(dtype=float) for rows in sets])
    return float(max(values[np.isfinite(values)], default=math.inf))
