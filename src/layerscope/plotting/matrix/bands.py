"""Lines through means over repetitions, with a band of one standard deviation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from layerscope.plotting.drawing.series import (
    DEGENERATE_NOTE,
    INFINITE,
    TOO_SMALL,
    UNDEFINED,
    draw_border,
    marker_size,
)
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import LineStyle

if TYPE_CHECKING:
    from pandas import DataFrame

BAND_NOTE = "band: one standard deviation over runs"


def draw_band(
    sheet: Sheet,
    axes: Axes,
    means: DataFrame,
    x: str,
    *,
    colour: str,
    line: LineStyle = "-",
    slot: tuple[int, int] = (0, 1),
) -> None:
    """Draw a frame of :func:`averaged` against its column ``x``.

    Where any repetition is infinite, undefined or too small, a marker at the border says so; hollow markers
    are means with degenerate values in them. ``slot`` keeps the border markers of several lines apart.
    """
    means = means.sort_values(x)
    places = means[x].to_numpy(dtype=float)
    middle = means["middle"].to_numpy(dtype=float)
    size = marker_size(len(places))
    axes.plot(places, middle, color=colour, linestyle=line, marker="o", markersize=size, markeredgewidth=0)
    if (means["n"] > 1).any():
        low, high = means["low"].to_numpy(dtype=float), means["high"].to_numpy(dtype=float)
        axes.fill_between(places, low, high, color=colour, alpha=0.18, linewidth=0)
        sheet.notes.add(BAND_NOTE)
    hollow = (means["degenerate"] > 0).to_numpy() & np.isfinite(middle)
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
        sheet.notes.add(DEGENERATE_NOTE)
    for border, name in ((INFINITE, "infinite"), (UNDEFINED, "undefined"), (TOO_SMALL, "too_small")):
        draw_border(sheet, axes, places[(means[name] > 0).to_numpy()], border, colour, slot)
