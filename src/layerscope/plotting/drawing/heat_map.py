"""A matrix of values in colours, where values without a colour are marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from numpy.typing import NDArray

from layerscope.plotting.drawing.colour_bar import PALETTE, draw_colour_bar
from layerscope.plotting.drawing.selection import tick_places
from layerscope.plotting.drawing.series import INFINITE, TOO_SMALL, UNDEFINED, Border
from layerscope.plotting.drawing.sheet import Sheet

MOST_ROWS = 8
MOST_SMOOTH = 5000
"""Cells of a panel that are drawn one by one in a PDF; more are a picture."""

HOLLOW = Border("o", 0.5, "")
"""The mark of degenerate cells, which the sheet explains."""

Array = NDArray[np.float64]
Marks = Mapping[Border, NDArray[np.bool_]]


def draw_heat_map(
    sheet: Sheet,
    axes: Axes,
    values: Array,
    columns: Sequence[float],
    rows: Sequence[str],
    *,
    log: bool = False,
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw ``values`` (rows, columns) at the places ``columns`` along x, the first row below.

    Infinite and undefined values, and what a logarithmic scale cannot hold, are grey and carry a mark;
    places that no value was measured at stay white: NaN in a masked array.
    """
    plain, measured = np.ma.getdata(values), ~np.ma.getmaskarray(values)
    placed = np.isfinite(plain) & measured & ((plain > 0) | (not log))
    norm = scale_of(plain[placed], log=log, limits=limits)
    draw_cells(axes, values, norm, columns)
    without = measured & ~placed
    marks = {
        INFINITE: without & np.isposinf(plain),
        UNDEFINED: without & np.isnan(plain),
        TOO_SMALL: without & (np.isfinite(plain) | np.isneginf(plain)),
    }
    for border in mark_cells(axes, marks, columns):
        sheet.notes.add(border.note)
    chosen = tick_places(len(rows), MOST_ROWS)
    axes.set_yticks(chosen, [rows[place] for place in chosen])
    if placed.any():
        draw_colour_bar(sheet, axes, norm)


def scale_of(values: Array, *, log: bool = False, limits: tuple[float, float] | None = None) -> Normalize:
    """The scale of colours of finite values; any, where there is none."""
    if limits is not None:
        return Normalize(*limits)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.1, 1.0)
    if log:
        return LogNorm(low / 1.05, high * 1.05) if high < 1.1 * low else LogNorm(low, high)
    return Normalize(low - 0.01, high + 0.01) if high - low < 1e-9 else Normalize(low, high)


def draw_cells(axes: Axes, values: Array, norm: Normalize, columns: Sequence[float] | None = None) -> None:
    """Draw ``values`` (rows, columns) in colours, the first row below, evenly or at the places ``columns``.

    What the scale cannot hold is grey; what is masked stays white.
    """
    plain, measured = np.ma.getdata(values), ~np.ma.getmaskarray(values)
    placed = measured & np.isfinite(plain) & ((plain > 0) | (not isinstance(norm, LogNorm)))
    places = np.arange(plain.shape[1], dtype=float) if columns is None else np.asarray(columns, dtype=float)
    edges, heights = _edges(places), np.arange(len(plain) + 1) - 0.5
    axes.set_facecolor("white")
    grey = np.ma.masked_where(placed | ~measured, np.zeros_like(plain))
    axes.pcolormesh(edges, heights, grey, cmap="Greys", vmin=-1, vmax=4)
    shown = np.ma.masked_where(~placed, plain)
    axes.pcolormesh(edges, heights, shown, cmap=PALETTE, norm=norm, rasterized=plain.size > MOST_SMOOTH)
    axes.grid(visible=False)
    axes.set_ylim(-0.5, len(plain) - 0.5)


def mark_cells(
    axes: Axes, marks: Marks, columns: Sequence[float], *, colour: str = "0.3", most: int | None = None
) -> list[Border]:
    """Mark cells (rows, columns), at ``most`` so many of a kind; the kinds that there are."""
    found = []
    for border, mask in marks.items():
        down, across = np.nonzero(mask)
        if len(down):
            step = max(1, len(down) // most) if most else 1
            x = np.asarray(columns, dtype=float)[across[::step]]
            size = float(np.clip(60 / max(mask.shape), 1.0, 3.0))
            face = "none" if border is HOLLOW else colour
            axes.plot(x, down[::step], border.marker, color=colour, markersize=size, markerfacecolor=face)
            found.append(border)
    return found


def _edges(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Borders of cells around ``places``, in the middle between neighbours."""
    if len(places) == 1:
        return places[0] + np.array([-0.5, 0.5])
    middles = (places[1:] + places[:-1]) / 2
    return np.array([2 * places[0] - middles[0], *middles, 2 * places[-1] - middles[-1]])
