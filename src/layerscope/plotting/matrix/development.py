"""How a quantity and the accuracy develop through training, in the colours of one axis."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import finish_values
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.matrix.bands import draw_lines
from layerscope.plotting.matrix.legends import add_colours
from layerscope.plotting.matrix.places import axes_in, axis_name, check_axes
from layerscope.plotting.matrix.quantities import last_layer, named_rows
from layerscope.plotting.matrix.roles import hue_colours, roles
from layerscope.plotting.matrix.settings import Setting, settings_sheet
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.quantity import label_of
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

EARLY = 14
"""The last epoch of the left panel, where the first weights still matter."""

INIT_AXIS = "Model.conv-init-std"
LATE_SHARE = 0.7
INSET = (0.4, 0.3)
"""Width and height of the enlarged end, in shares of the panel."""

CORNERS = ((0.58, 0.12), (0.14, 0.67), (0.14, 0.12), (0.58, 0.67))
LABELS = (0.12, 0.1)
"""What its numbers take left of it and below."""

QUANTITY, ACCURACY = "quantity", "accuracy"


def development_frame(tables: MatrixTables, *, quantity: str) -> DataFrame:
    """``run``, the axes, ``epoch``, ``panel`` (quantity or accuracy), ``value``.

    The quantity is that of the last layer; the accuracy, of the test split, comes from the training logs.
    """
    import pandas as pd

    from layerscope.plotting.run_tables import LOG

    rows = last_layer(named_rows(tables, quantity))
    log = tables.frame(LOG)
    own = [RUN, *axes_in(rows), EPOCH]
    accuracy = log[own].assign(value=log["test_accuracy"], panel=ACCURACY)
    kept = [name for name in ("value", "status", "reason", "unit") if name in rows]
    return pd.concat([rows[[*own, *kept]].assign(panel=QUANTITY), accuracy], ignore_index=True)


@styled
def development(rows: DataFrame, title: str, *, label: str = "value", hue: str | None = None) -> Figure:
    """F30: a quantity in early training, and the accuracy to the end with its last part enlarged.

    Runs that differ in anything but ``hue`` have panels of their own.

    Parameters
    ----------
    rows
        What :func:`development_frame` gives.
    hue
        The axis of the colours (two standard deviations of the first weights, as a rule); chosen when None.

    Raises
    ------
    UsageError
        No run has that axis.
    """
    if hue is None:
        hue = roles(rows).hue
    else:
        check_axes(rows, [hue])
    if hue is not None and rows[hue].nunique(dropna=False) < 2:
        raise UsageError(f"all runs have the same {axis_name(hue)}; there is nothing to compare")
    colours: Mapping[Any, str] = hue_colours(rows[hue]) if hue else {None: "#0072B2"}
    sheet, settings = settings_sheet(title, rows, [hue] if hue else [])
    for setting in settings:
        _draw(sheet, setting, label_of(rows[rows["panel"] == QUANTITY], label), hue, colours)
    add_colours(sheet, hue, colours)
    return sheet.finish()


def _draw(sheet: Sheet, setting: Setting, label: str, hue: str | None, colours: Mapping[Any, str]) -> None:
    """The quantity and the accuracy of one setting, on its two panels."""
    early, whole = setting.axes
    rows = setting.rows
    draw_lines(sheet, early, rows[(rows["panel"] == QUANTITY) & (rows[EPOCH] <= EARLY)], EPOCH, hue, colours)
    accuracy = rows[rows["panel"] == ACCURACY]
    draw_lines(sheet, whole, accuracy, EPOCH, hue, colours)
    early.set(xlabel="epoch", ylabel=label)
    whole.set(xlabel="epoch", ylabel="test accuracy")
    _enlarge_end(sheet, whole, accuracy, hue, colours)
    for axes in setting.axes:
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))
        finish_values(axes)


def _enlarge_end(
    sheet: Sheet, axes: Axes, rows: DataFrame, hue: str | None, colours: Mapping[Any, str]
) -> None:
    """The last third of training again, larger, in a corner without curves."""
    last = rows[EPOCH].max() if len(rows) else 0
    late = rows[rows[EPOCH] >= LATE_SHARE * last]
    if late[EPOCH].nunique() < 3 or not np.isfinite(late["value"]).any():
        return
    corner = _free_corner(axes)
    if corner is None:
        sheet.notes.add("no corner is free to enlarge the end of training")
        return
    inset = axes.inset_axes((*corner, *INSET))
    draw_lines(sheet, inset, late, EPOCH, hue, colours)
    inset.tick_params(labelsize=5.5, length=2)
    inset.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    inset.yaxis.set_major_locator(MaxNLocator(3))
    for line in inset.get_lines():
        line.set_markersize(0)


def _free_corner(axes: Axes) -> tuple[float, float] | None:
    """The corner that no curve or band enters, in shares of the panel: the first of :data:`CORNERS`."""
    drawn = _curves(axes)
    for left, bottom in CORNERS:
        low = np.array([left, bottom]) - LABELS
        high = np.array([left, bottom]) + INSET + 0.02
        if not ((drawn > low) & (drawn < high)).all(axis=1).any():
            return left, bottom
    return None


def _curves(axes: Axes) -> NDArray[np.float64]:
    """Points on all lines and on the borders of all bands, close to each other, in shares of the panel."""
    axes.autoscale_view()
    lines = [np.asarray(line.get_xydata(), dtype=float) for line in axes.get_lines()]
    bands = [np.asarray(path.vertices) for each in axes.collections for path in each.get_paths()]
    into_panel = axes.transData + axes.transAxes.inverted()
    steps = np.linspace(0.0, 1.0, 30)[:, None]
    points = [np.empty((0, 2))]
    for curve in (*lines, *bands):
        places = into_panel.transform(curve)
        points += [one + steps * (other - one) for one, other in itertools.pairwise(places)]
    return np.concatenate(points)
