"""A quantity against test accuracy through training: the figures F25 to F27."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import say_empty
from layerscope.plotting.drawing.degenerate import count_reasons, reasons_of
from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.bounds import draw_bounds
from layerscope.plotting.matrix.legends import add_colours, add_entries
from layerscope.plotting.matrix.places import (
    axes_in,
    axis_name,
    check_axes,
    having,
    plain_text,
    telling_axes,
    value_text,
    values_of,
)
from layerscope.plotting.matrix.points import draw_points
from layerscope.plotting.matrix.quantities import last_layer, named_rows
from layerscope.plotting.matrix.roles import heading as write_heading
from layerscope.plotting.matrix.roles import hue_colours, roles
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.quantity import CEILING, label_of
from layerscope.plotting.run_tables import LOG
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
MOST_ROWS, MOST_COLUMNS = 4, 4
DATA, MODEL = "Data.dataset-id", "Model.model-name"
PALEST = 0.2


class Grid(NamedTuple):
    """The axes of the rows and columns of panels, of the colours, and of the markers."""

    rows: str | None
    columns: str | None
    hue: str | None
    marker: str | None


def accuracy_frame(tables: MatrixTables, *, quantity: str) -> DataFrame:
    """``run``, the axes, ``epoch, value`` (last layer, train split), ``accuracy`` (test split), ``classes``.

    Accuracies come from the training logs, of the epochs at which there is a value.
    """
    rows = last_layer(named_rows(tables, quantity, compared=True))
    log = tables.frame(LOG)[[RUN, EPOCH, "test_accuracy"]].astype({RUN: str})
    wanted = ("value", "status", "reason", "unit", "ceiling", "reference", "classes")
    kept = [name for name in wanted if name in rows]
    own = rows[[RUN, *axes_in(rows), EPOCH, *kept]].astype({RUN: str})
    joined = own.merge(log, on=[RUN, EPOCH]).rename(columns={"test_accuracy": "accuracy"})
    if joined.empty:
        raise UsageError(f"the training logs hold no epoch at which {quantity} is measured")
    return joined


def grid(frame: DataFrame, rows: str | None = None, columns: str | None = None) -> Grid:
    """Data sets in columns, models as markers, a condition or a number as colours, what is left in rows."""
    check_axes(frame, [axis for axis in (rows, columns) if axis])
    left = [axis for axis in telling_axes(frame) if axis not in (rows, columns)]
    hue = roles(frame[[name for name in frame if name not in (rows, columns)]]).hue
    left = [axis for axis in left if axis != hue]
    marker = _taken(left, MODEL) or (left[0] if left and columns and rows else None)
    left = [axis for axis in left if axis != marker]
    columns = columns or _taken(left, DATA) or (left[0] if left else None)
    left = [axis for axis in left if axis != columns]
    return Grid(rows or (left[0] if left else None), columns, hue, marker)


@styled
def accuracy_scatter(
    frame: DataFrame,
    title: str,
    *,
    label: str = "value",
    log: bool = False,
    reference: str = "",
    ceiling: str = CEILING,
    rows: str | None = None,
    columns: str | None = None,
) -> Figure:
    """F25–F27: a point for every checkpoint of every run, paler the earlier in training.

    Parameters
    ----------
    frame
        What :func:`accuracy_frame` gives.
    reference, ceiling
        What the columns of these names hold; without a name they are not drawn.
    rows, columns
        The axes of the grid of panels (families of networks and data sets, say); chosen when None.
    """
    roles_here = grid(frame, rows, columns)
    down, of_rows = _values(frame, roles_here.rows, MOST_ROWS)
    across, of_columns = _values(frame, roles_here.columns, MOST_COLUMNS)
    size = (2.95, 2.2) if len(across) < 3 else (1.9, 1.6)
    named = bool(roles_here.rows or roles_here.columns)
    sheet = Sheet.of_panels(title, len(down) * len(across), len(across), size, headings=named)
    sheet.notes.update(note for note in (of_rows, of_columns) if note)
    colours = hue_colours(frame[roles_here.hue]) if roles_here.hue else {None: "#0072B2"}
    markers = _markers(frame, roles_here.marker)
    panels = iter(sheet.axes)
    for row in down:
        for column in across:
            axes = next(panels)
            own = _chosen(_chosen(frame, roles_here.rows, row), roles_here.columns, column)
            _draw_points(sheet, axes, own, roles_here, colours, markers, log=log)
            axes.set(xlabel="test accuracy", ylabel=label_of(frame, label))
            write_heading(sheet, axes, _heading(roles_here, row, column))
            _draw_chance(sheet, axes, own)
            sets = [_chosen(own, roles_here.hue, value) for value in colours]
            draw_bounds(sheet, axes, sets, list(colours.values()), reference, ceiling)
    add_colours(sheet, roles_here.hue, colours)
    _add_markers(sheet, roles_here.marker, markers)
    add_entries(sheet, "training", _shades())
    return sheet.finish()


def _taken(axes: list[str], wanted: str) -> str | None:
    return wanted if wanted in axes else None


def _values(frame: DataFrame, axis: str | None, most: int) -> tuple[list[Any], str]:
    """At most so many of the values on an axis, evenly chosen; and a note when there are more."""
    if axis is None:
        return [None], ""
    values = values_of(frame[axis])
    shown = [values[place] for place in spread(range(len(values)), most)]
    left_out = len(shown) < len(values)
    return shown, f"{len(shown)} of {len(values)} values of {axis_name(axis)} are shown" if left_out else ""


def _chosen(frame: DataFrame, axis: str | None, value: object) -> DataFrame:
    return having(frame, axis, value) if axis else frame


def _markers(frame: DataFrame, axis: str | None) -> dict[Any, str]:
    if axis is None:
        return {None: "o"}
    return {value: MARKERS[place % len(MARKERS)] for place, value in enumerate(values_of(frame[axis]))}


def _heading(roles_here: Grid, row: object, column: object) -> str:
    parts = [
        value_text(axis, value)
        for axis, value in ((roles_here.rows, row), (roles_here.columns, column))
        if axis is not None
    ]
    return " · ".join(parts)


def _draw_points(
    sheet: Sheet,
    axes: Axes,
    frame: DataFrame,
    roles_here: Grid,
    colours: dict[Any, str],
    markers: dict[Any, str],
    *,
    log: bool,
) -> None:
    """The points; those that have no place along y are counted in a note, degenerate ones are hollow."""
    last = frame.groupby(RUN, observed=True)[EPOCH].transform("max").clip(lower=1)
    finite = np.isfinite(frame["value"]) & np.isfinite(frame["accuracy"])
    placed = finite & ((frame["value"] > 0) | (not log))
    if not placed.all():
        below = ", or not above 0" if log else ""
        sheet.notes.add(f"{int((~placed).sum())} of {len(frame)} points undefined or infinite{below}")
    if not placed.any():
        say_empty(axes)
        return
    axes.set_yscale("log" if log else "linear")
    shown = frame.assign(progress=frame[EPOCH] / last)[placed]
    sheet.degenerate.update(count_reasons(reasons_of(shown)))
    size = float(np.clip(120 / max(len(frame), 1) ** 0.5, 2.0, 14.0))
    for value, colour in colours.items():
        for model, marker in markers.items():
            own = _chosen(_chosen(shown, roles_here.hue, value), roles_here.marker, model)
            rgba = [to_rgba(colour, PALEST + (1 - PALEST) * float(share)) for share in own["progress"]]
            draw_points(axes, own, "accuracy", rgba, size, marker)


def _draw_chance(sheet: Sheet, axes: Axes, own: DataFrame) -> None:
    """The accuracy of guessing, along x."""
    axes.set_xlim(-0.03, 1.03)
    if "classes" in own and len(own):
        axes.axvline(
            1 / float(own["classes"].max()), color=REFERENCE_COLOUR, linewidth=0.8, linestyle=":", zorder=1
        )
        sheet.notes.add("dotted upright: chance")


def _add_markers(sheet: Sheet, axis: str | None, markers: dict[Any, str]) -> None:
    if axis is not None:
        lines = [
            (Line2D([], [], color="0.3", marker=marker, linestyle="none"), literal(plain_text(value)))
            for value, marker in list(markers.items())[: 2 * len(MARKERS)]
        ]
        add_entries(sheet, axis_name(axis), lines)


def _shades() -> list[tuple[Line2D, str]]:
    return [
        (Line2D([], [], color=to_rgba("0.1", shade), marker="o", linestyle="none"), text)
        for shade, text in ((PALEST, "begin"), (0.6, "half"), (1.0, "end"))
    ]
