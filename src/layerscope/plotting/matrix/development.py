"""How a quantity and the accuracy develop through training, in the colours of one axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import finish_values
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.bands import draw_band
from layerscope.plotting.matrix.legends import add_colours
from layerscope.plotting.matrix.places import axes_in, axis_name, check_axes, having
from layerscope.plotting.matrix.roles import hue_colours, roles
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

EARLY = 14
"""The last epoch of the left panel, where the first weights still matter."""

INIT_AXIS = "Model.conv-init-std"
LATE_SHARE = 0.7
QUANTITY, ACCURACY = "quantity", "accuracy"


def development_frame(tables: MatrixTables, *, quantity: str) -> DataFrame:
    """``run``, the axes, ``epoch``, ``panel`` (quantity or accuracy), ``value``.

    The quantity is that of the last layer; the accuracy, of the test split, comes from the training logs.
    """
    import pandas as pd

    from layerscope.plotting.matrix.quantities import QUANTITIES, last_layer, quantity_rows
    from layerscope.plotting.run_tables import LOG

    wanted = QUANTITIES[quantity]
    rows = last_layer(quantity_rows(tables.frame(wanted.table), wanted))
    log = tables.frame(LOG)
    own = [RUN, *axes_in(rows), EPOCH]
    accuracy = log[own].assign(value=log["test_accuracy"], panel=ACCURACY)
    kept = [name for name in ("value", "status", "unit") if name in rows]
    return pd.concat([rows[[*own, *kept]].assign(panel=QUANTITY), accuracy], ignore_index=True)


@styled
def development(rows: DataFrame, title: str, *, label: str = "value", hue: str | None = None) -> Figure:
    """F30: a quantity in early training, and the accuracy to the end with its last part enlarged.

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
    sheet = Sheet.of_panels(title, 2, 2)
    early, whole = sheet.axes
    colours: Mapping[Any, str] = hue_colours(rows[hue]) if hue else {None: "#0072B2"}
    shown = rows[(rows["panel"] == QUANTITY) & (rows[EPOCH] <= EARLY)]
    _draw(sheet, early, shown, hue, colours)
    accuracy = rows[rows["panel"] == ACCURACY]
    _draw(sheet, whole, accuracy, hue, colours)
    early.set(xlabel="epoch", ylabel=label)
    whole.set(xlabel="epoch", ylabel="test accuracy")
    _enlarge_end(sheet, whole, accuracy, hue, colours)
    for axes in sheet.axes:
        axes.xaxis.set_major_locator(MaxNLocator(7, integer=True, min_n_ticks=1))
        finish_values(axes)
    add_colours(sheet, hue, colours)
    return sheet.finish()


def _draw(sheet: Sheet, axes: Axes, rows: DataFrame, hue: str | None, colours: Mapping[Any, str]) -> None:
    for place, (value, colour) in enumerate(colours.items()):
        own = having(rows, hue, value) if hue else rows
        if len(own):
            draw_band(sheet, axes, averaged(own, [EPOCH]), EPOCH, colour=colour, slot=(place, len(colours)))


def _enlarge_end(
    sheet: Sheet, axes: Axes, rows: DataFrame, hue: str | None, colours: Mapping[Any, str]
) -> None:
    """The last third of training again, larger, in the empty corner below the curves."""
    last = rows[EPOCH].max() if len(rows) else 0
    late = rows[rows[EPOCH] >= LATE_SHARE * last]
    if late[EPOCH].nunique() < 3:
        return
    inset = axes.inset_axes((0.45, 0.14, 0.52, 0.42))
    _draw(sheet, inset, late, hue, colours)
    inset.tick_params(labelsize=5.5, length=2)
    inset.xaxis.set_major_locator(MaxNLocator(3, integer=True))
    inset.yaxis.set_major_locator(MaxNLocator(3))
    for line in inset.get_lines():
        line.set_markersize(0)
