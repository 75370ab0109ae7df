"""Lines through means over repetitions, with a band of one standard deviation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from layerscope.plotting.drawing.degenerate import count_reasons
from layerscope.plotting.drawing.series import (
    INFINITE,
    TOO_SMALL,
    UNDEFINED,
    draw_border,
    marker_size,
)
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import LineStyle
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.places import having

if TYPE_CHECKING:
    from pandas import DataFrame

BORDERS = ((INFINITE, "infinite"), (UNDEFINED, "undefined"), (TOO_SMALL, "too_small"))
"""Mark at the border, and the column of :func:`averaged` that says how many values it stands for."""


UPON: tuple[LineStyle, ...] = ("-", "--", ":")
"""The style of a line by how many others lie below it."""


def band_note(over: str = "runs") -> str:
    """What a band, or a bar at a single place, means."""
    return f"band: one standard deviation over {over}"


def draw_band(
    sheet: Sheet,
    axes: Axes,
    means: DataFrame,
    x: str,
    *,
    colour: str,
    line: LineStyle = "-",
    slot: tuple[int, int] = (0, 1),
    over: str = "runs",
) -> None:
    """Draw a frame of :func:`averaged` against its column ``x``.

    Where any repetition is infinite, undefined or too small, a marker at the border says so; hollow markers
    are means with degenerate values in them. ``slot`` keeps the border markers of several lines apart;
    ``over`` says what the means are over.
    """
    means = means.sort_values(x)
    places = means[x].to_numpy(dtype=float)
    middle = means["middle"].to_numpy(dtype=float)
    size = marker_size(len(places))
    axes.plot(places, middle, color=colour, linestyle=line, marker="o", markersize=size, markeredgewidth=0)
    if (means["n"] > 1).any():
        low, high = means["low"].to_numpy(dtype=float), means["high"].to_numpy(dtype=float)
        if len(places) > 1:
            axes.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
        else:
            axes.errorbar(places, middle, [middle - low, high - middle], color=colour, linewidth=0.8)
        sheet.notes.add(band_note(over))
    hollow = (means["degenerate"] > 0).to_numpy()
    if hollow.any():
        axes.plot(
            places[hollow],
            middle[hollow],
            "o",
            markeredgecolor=colour,
            markerfacecolor="white",
            markersize=size + 0.5,
            markeredgewidth=0.6,
        )
        sheet.degenerate.update(count_reasons(means["reasons"]))
    for border, name in BORDERS:
        draw_border(sheet, axes, places[(means[name] > 0).to_numpy()], border, colour, slot)


def draw_lines(
    sheet: Sheet, axes: Axes, rows: DataFrame, x: str, hue: str | None, colours: Mapping[Any, str]
) -> None:
    """For each value of ``hue`` the mean of the column ``value`` against ``x``, with its band."""
    sets = [having(rows, hue, value) if hue else rows for value in colours]
    draw_bands(sheet, axes, sets, x, list(colours.values()))


def draw_bands(
    sheet: Sheet,
    axes: Axes,
    sets: Sequence[DataFrame],
    x: str,
    colours: Sequence[str],
    *,
    log: bool = False,
) -> None:
    """The mean of each set of rows, which may be empty, against ``x``, with its band.

    A line that lies on an earlier one is broken, so that both can be seen.
    """
    drawn: list[DataFrame] = []
    for place, (rows, colour) in enumerate(zip(sets, colours, strict=True)):
        if len(rows):
            means = averaged(rows, [x], log=log)
            below = sum(_coincide(means, other, x) for other in drawn)
            line = UPON[min(below, len(UPON) - 1)]
            draw_band(sheet, axes, means, x, colour=colour, line=line, slot=(place, len(sets)))
            if below:
                sheet.notes.add("broken: upon a line of the same values")
            drawn.append(means)


def _coincide(one: DataFrame, other: DataFrame, x: str) -> bool:
    """Whether two lines are the same, and lines at all."""
    if len(one) < 2 or one[x].tolist() != other[x].tolist():
        return False
    first, second = (frame["middle"].to_numpy(dtype=float) for frame in (one, other))
    return bool(np.isfinite(first).sum() > 1 and np.allclose(first, second, rtol=1e-9, equal_nan=True))
