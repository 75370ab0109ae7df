"""A line over layers that shows every value, also those that have no place on its axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from layerscope.plotting.drawing.degenerate import count_reasons, reasons_of
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import LineStyle, epoch_colours

if TYPE_CHECKING:
    from pandas import DataFrame


class Border(NamedTuple):
    """How values without a place are shown: a marker at a border of the panel, explained below it."""

    marker: str
    height: float
    note: str


INFINITE = Border("^", 0.985, "▲ infinite")
UNDEFINED = Border("x", 0.02, "\N{MULTIPLICATION SIGN} undefined")
TOO_SMALL = Border("v", 0.02, "▼ zero or below")


def draw_series(
    sheet: Sheet,
    axes: Axes,
    rows: DataFrame,
    *,
    colour: str,
    line: LineStyle = "-",
    slot: tuple[int, int] = (0, 1),
    along: str = "layer_index",
) -> None:
    """Draw the value of each layer, or of each other thing that rows lie ``along``.

    A band shows the standard error of those that have one. Undefined and infinite values, and
    those a logarithmic axis cannot hold, become markers at the border; degenerate ones are hollow, and a note
    says why. ``slot`` (place, count) keeps the border markers of several series apart.
    """
    x, order = _ordered(rows, along)
    y = rows["value"].to_numpy(dtype=float)[order]
    too_small = (y <= 0) & (axes.get_yscale() == "log") | np.isneginf(y)
    placed = np.isfinite(y) & ~too_small
    shown = np.where(placed, y, np.nan)
    size = marker_size(len(x))
    axes.plot(x, shown, color=colour, linestyle=line, marker="o", markersize=size, markeredgewidth=0)
    if "error" in rows:
        _draw_error(sheet, axes, x, shown, rows["error"].to_numpy(dtype=float)[order], colour)
    reasons = reasons_of(rows)[order]
    hollow = placed & (reasons != "")
    if hollow.any():
        _draw_degenerate(axes, x[hollow], y[hollow], colour)
        sheet.degenerate.update(count_reasons(reasons[hollow]))
    borders = ((INFINITE, np.isposinf(y)), (UNDEFINED, np.isnan(y)), (TOO_SMALL, too_small))
    for border, mask in borders:
        draw_border(sheet, axes, x[mask], border, colour, slot)


def draw_by_epoch(
    sheet: Sheet, axes: Axes, rows: DataFrame, epochs: Sequence[int], line: LineStyle = "-"
) -> None:
    """One series per epoch, in the colours that all figures of the run give to the epochs."""
    needed = [name for name in ("epoch", "layer_index", "value", "error", "status", "reason") if name in rows]
    rows = rows[needed]  # each of the others would be divided as well
    for place, (epoch, colour) in enumerate(epoch_colours(epochs).items()):
        chosen = rows[rows["epoch"] == epoch]
        if not chosen.empty:
            draw_series(sheet, axes, chosen, colour=colour, line=line, slot=(place, len(epochs)))


def epoch_legend(epochs: Sequence[int], split: str) -> Legend:
    """Legend of :func:`draw_by_epoch`."""
    entries = [
        (Line2D([], [], color=colour, marker="o"), str(epoch))
        for epoch, colour in epoch_colours(epochs).items()
    ]
    return Legend(f"{split}, epoch", entries)


def line_legend(lines: dict[str, LineStyle]) -> Legend:
    """Legend of line styles: text → style."""
    entries = [(Line2D([], [], color="0.2", linestyle=line), text) for text, line in lines.items()]
    return Legend("", entries)


def marker_size(points: int) -> float:
    """Points of a marker so that neighbours do not touch."""
    return float(np.clip(90 / max(points, 1), 1.5, 4.0))


def _ordered(rows: DataFrame, along: str) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Places of the rows that apply, in their order, and where in the frame these rows stand."""
    kept = np.flatnonzero((rows["status"] != "skipped").to_numpy(dtype=bool))
    x = rows[along].to_numpy(dtype=float)
    order = kept[np.argsort(x[kept], kind="stable")]
    return x[order], order


def _draw_error(
    sheet: Sheet,
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    error: NDArray[np.float64],
    colour: str,
) -> None:
    if np.isfinite(error).any():
        known = np.isfinite(error) & np.isfinite(y)
        x, middle, half = x[known], y[known], error[known]
        if len(x) > 1:
            axes.fill_between(x, middle - half, middle + half, color=colour, alpha=0.2, linewidth=0)
        else:
            axes.errorbar(x, middle, half, color=colour, linewidth=0.8)
        sheet.notes.add("band: ± standard error")


def _draw_degenerate(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], colour: str) -> None:
    axes.plot(x, y, linestyle="none", marker="o", markeredgecolor=colour, markerfacecolor="white", zorder=2.5)


def draw_border(
    sheet: Sheet, axes: Axes, x: NDArray[np.float64], border: Border, colour: str, slot: tuple[int, int]
) -> None:
    """Mark the places ``x`` whose values have none on the axis, and explain the marker below the panels."""
    if not len(x):
        return
    place, count = slot
    aside = ScaledTranslation((place - (count - 1) / 2) * 2.5 / 72, 0, sheet.figure.dpi_scale_trans)
    axes.plot(
        x,
        np.full(len(x), border.height),
        transform=axes.get_xaxis_transform() + aside,
        color=colour,
        linestyle="none",
        marker=border.marker,
        markersize=3.4,
        clip_on=False,
        zorder=3,
    )
    sheet.notes.add(border.note)
