"""Where runs collapse: the NC layer against every axis of the matrix, repetitions included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import draw_reference
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.category_axis import name_categories
from layerscope.plotting.matrix.legends import add_colours, add_entries
from layerscope.plotting.matrix.places import (
    axes_in,
    axis_name,
    check_axes,
    having,
    plain_text,
    telling_axes,
    values_of,
)
from layerscope.plotting.matrix.quantities import last_epoch, named_rows
from layerscope.plotting.matrix.roles import hue_colours, roles
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.results.axes import REPETITION
from layerscope.results.cdnv_unit import are_pure
from layerscope.results.known_runs import RUN
from layerscope.results.nc_layer import THRESHOLD

if TYPE_CHECKING:
    from pandas import DataFrame

DEPTH, SHARE = "depth", "share"
NOT_COLLAPSED = 1.06


def nc_layer_frame(tables: MatrixTables) -> DataFrame:
    """One row per run: ``run``, the axes, ``layer`` (from 1; missing where there is none), ``depth, share``.

    The layer is the first one whose mean CDNV of the train split is below 0.2 at the run's last epoch;
    ``share`` is how far down the ``depth`` tapped layers it is.

    Raises
    ------
    UsageError
        CDNV was measured with another exponent than 1.
    """
    rows = last_epoch(named_rows(tables, "CDNV"))
    if not are_pure(rows["unit"]).iloc[0]:
        raise UsageError(
            f"CDNV is in {rows['unit'].iloc[0]}, as Measurements.cdnv-exponent is not 1; "
            "only exponent 1 tells the NC layer"
        )
    groups = rows.groupby(RUN, observed=True)["layer_index"]
    runs = rows.drop_duplicates(RUN)[[RUN, *axes_in(rows)]].set_index(RUN)
    first = rows[rows["value"] < THRESHOLD].groupby(RUN, observed=True)["layer_index"].min()
    runs = runs.assign(layer=first.astype(float) + 1, depth=groups.max() + 1)
    return runs.assign(share=runs["layer"] / runs[DEPTH]).reset_index()


@styled
def nc_layers(runs: DataFrame, title: str, *, axes: Sequence[str] | None = None) -> Figure:
    """How deep the collapsed part of each network begins: a panel per axis, a point per run.

    Parameters
    ----------
    runs
        What :func:`nc_layer_frame` gives.
    axes
        All that tell runs apart, their number of layers and their repetition when None.
    """
    check_axes(runs, axes or ())
    shown = list(axes) if axes is not None else _axes(runs)
    sheet = Sheet.of_panels(title, max(len(shown), 1), min(max(len(shown), 1), 3), (2.2, 1.9))
    hue = roles(runs).hue
    colours = hue_colours(runs[hue]) if hue else {None: "#0072B2"}
    for panel, axis in zip(sheet.axes, shown or [RUN], strict=True):
        _draw(sheet, panel, runs, axis, hue, colours)
    add_colours(sheet, hue, colours)
    add_entries(
        sheet,
        "",
        [(Line2D([], [], color="0.2", marker="_", linestyle="none", markersize=9), "mean of collapsed runs")],
    )
    return sheet.finish()


def _axes(runs: DataFrame) -> list[str]:
    own = telling_axes(runs)
    depth = [DEPTH] if runs[DEPTH].nunique() > 1 else []
    repeated = [axis for axis in REPETITION if axis in runs and runs[axis].nunique() > 1]
    return [*depth, *own, *repeated][:9]


def _draw(
    sheet: Sheet, panel: Axes, runs: DataFrame, axis: str, hue: str | None, colours: dict[Any, str]
) -> None:
    values = values_of(runs[axis])
    for place, value in enumerate(values):
        own = having(runs, axis, value)
        _draw_points(sheet, panel, own, place, hue, colours)
        found = own[SHARE].dropna()
        if len(found):
            panel.plot([place - 0.3, place + 0.3], [found.mean()] * 2, color="0.2", linewidth=1.0, zorder=1.8)
    draw_reference(panel, 1.0)
    panel.set_ylim(0.0, 1.12)
    panel.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    panel.set(ylabel="NC layer / layers", xlabel="layers" if axis == DEPTH else literal(_name(axis)))
    name_categories(sheet, panel, [plain_text(value) for value in values])


def _draw_points(
    sheet: Sheet, panel: Axes, own: DataFrame, place: int, hue: str | None, colours: dict[Any, str]
) -> None:
    """A point for every run, side by side; runs without such a layer are crosses above the others."""
    for number, (value, colour) in enumerate(colours.items()):
        shown = having(own, hue, value) if hue else own
        aside = (number - (len(colours) - 1) / 2) * 0.5 / len(colours)
        jitter = np.linspace(-0.04, 0.04, len(shown)) if len(shown) > 1 else np.zeros(len(shown))
        x, y = place + aside + jitter, shown[SHARE].to_numpy(dtype=float)
        panel.plot(x, y, "o", color=colour, markersize=3.6, alpha=0.8, markeredgewidth=0)
        none = np.isnan(y)
        if none.any():
            panel.plot(x[none], np.full(none.sum(), NOT_COLLAPSED), "x", color=colour, markersize=3)
            sheet.notes.add("\N{MULTIPLICATION SIGN} no layer is collapsed")


def _name(axis: str) -> str:
    return "repetition" if axis in REPETITION else axis_name(axis)
