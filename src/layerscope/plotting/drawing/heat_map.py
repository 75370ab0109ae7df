"""A matrix of values in colours, where values without a colour are marked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from layerscope.plotting.drawing.selection import tick_places
from layerscope.plotting.drawing.series import INFINITE, TOO_SMALL, UNDEFINED
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.text import decade

PALETTE = "cividis"
BAR_GAP, BAR_WIDTH = 0.06, 0.08  # inches
MOST_ROWS = 8


def draw_heat_map(
    sheet: Sheet,
    axes: Axes,
    values: NDArray[np.float64],
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
    measured = ~np.ma.getmaskarray(values)
    plain = np.ma.getdata(values)
    placed = np.isfinite(plain) & measured & ((plain > 0) | (not log))
    norm = _norm(plain[placed], log, limits)
    shown = np.ma.masked_where(~placed, plain)
    edges = _edges(np.asarray(columns, dtype=float))
    heights = np.arange(len(rows) + 1) - 0.5
    axes.set_facecolor("white")
    grey = np.ma.masked_where(placed | ~measured, np.zeros_like(plain))
    axes.pcolormesh(edges, heights, grey, cmap="Greys", vmin=-1, vmax=4)
    axes.pcolormesh(edges, heights, shown, cmap=PALETTE, norm=norm, rasterized=values.size > 5000)
    _mark(sheet, axes, plain, measured & ~placed, columns)
    axes.grid(visible=False)
    chosen = tick_places(len(rows), MOST_ROWS)
    axes.set_yticks(chosen, [rows[place] for place in chosen])
    axes.set_ylim(-0.5, len(rows) - 0.5)
    if placed.any():
        _draw_bar(sheet, axes, norm, log)


def _edges(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Borders of cells around ``places``, in the middle between neighbours."""
    if len(places) == 1:
        return places[0] + np.array([-0.5, 0.5])
    middles = (places[1:] + places[:-1]) / 2
    return np.array([2 * places[0] - middles[0], *middles, 2 * places[-1] - middles[-1]])


def _norm(values: NDArray[np.float64], log: bool, limits: tuple[float, float] | None) -> Normalize:
    if limits is not None:
        return Normalize(*limits)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.1, 1.0)
    if log:
        return LogNorm(low / 1.05, high * 1.05) if high < 1.1 * low else LogNorm(low, high)
    return Normalize(low - 0.01, high + 0.01) if high - low < 1e-9 else Normalize(low, high)


def _mark(
    sheet: Sheet, axes: Axes, values: NDArray[np.float64], mask: NDArray[np.bool_], columns: Sequence[float]
) -> None:
    kinds = (
        (INFINITE, np.isposinf(values)),
        (UNDEFINED, np.isnan(values)),
        (TOO_SMALL, np.isfinite(values) | np.isneginf(values)),
    )
    for border, kind in kinds:
        down, across = np.nonzero(mask & kind)
        if len(down):
            x = np.asarray(columns, dtype=float)[across]
            axes.plot(x, down, linestyle="none", marker=border.marker, color="0.3", markersize=3.0)
            sheet.notes.add(border.note)


def _draw_bar(sheet: Sheet, axes: Axes, norm: Normalize, log: bool) -> None:
    across = sheet.panel[0]
    bar = axes.inset_axes((1 + BAR_GAP / across, 0.0, BAR_WIDTH / across, 1.0))
    colours = sheet.figure.colorbar(ScalarMappable(norm, PALETTE), cax=bar)
    colours.outline.set_visible(False)
    low, high = norm.vmin, norm.vmax
    assert low is not None
    assert high is not None
    if not log or high < 30 * low:
        bar.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if log and high > 3 * low else MaxNLocator(4))
        bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        bar.yaxis.set_major_locator(LogLocator(numticks=5))
        bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: decade(value)))
    bar.yaxis.set_minor_locator(NullLocator())
    bar.yaxis.set_minor_formatter(NullFormatter())
    bar.tick_params(labelsize=6, length=2)
    bar.grid(visible=False)
