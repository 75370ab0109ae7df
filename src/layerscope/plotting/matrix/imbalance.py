"""Figures about drift and rare classes over the runs of a group; each draws a frame of `imbalance_table`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import SMALL_CHARACTER, draw_layer_axis, finish_values, say_empty
from layerscope.plotting.drawing.heat_map import draw_cells, scale_of
from layerscope.plotting.drawing.series import draw_border
from layerscope.plotting.drawing.sheet import LEFT, Legend, Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.bands import BORDERS, draw_lines
from layerscope.plotting.matrix.category_axis import name_categories
from layerscope.plotting.matrix.imbalance_table import FACTOR, LABEL, hue_of, last_epochs
from layerscope.plotting.matrix.legends import add_colours
from layerscope.plotting.matrix.places import axis_name, having, plain_text, telling_axes, values_of
from layerscope.plotting.matrix.profiles import layers_by_place
from layerscope.plotting.matrix.roles import hue_colours, panels_of, sheet_of
from layerscope.plotting.matrix.settings import settings_sheet
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

COLOURS = {
    "drift": "#0072B2",
    "relative drift": "#56B4E9",
    "overall": "0.25",
    "head": "#009E73",
    "mid": "#E69F00",
    "tail": "#D55E00",
    "many": "#009E73",
    "medium": "#E69F00",
    "few": "#D55E00",
}
DATA, MODEL = "Data.dataset-id", "Model.model-name"
ACCURACIES = ("overall", "head", "mid", "tail")
SHOTS = ("overall", "many", "medium", "few")
MOST_MAPS = 6
WHISKER_NOTE = "whisker: one standard deviation over runs"


@styled
def by_category(table: DataFrame, title: str, *, accuracies: Sequence[str] = ACCURACIES) -> Figure:
    """F35, F37, F41, F42: accuracies and drift of each kind of run, mean and deviation of repetitions."""
    last = last_epochs(table)
    sheet = Sheet.of_panels(title, 2, 2)
    for axes, names, label in zip(
        sheet.axes, (tuple(accuracies), ("drift",)), ("test accuracy", "drift (train)"), strict=True
    ):
        draw_bars(sheet, axes, last, names)
        axes.set_ylabel(label)
    sheet.legends.append(quantity_legend(accuracies))
    return sheet.finish()


def drift_map(table: DataFrame, title: str) -> Figure:
    """F33: relative drift by data set (else factor) and model.

    Raises
    ------
    UsageError
        The runs do not differ in both.
    """
    rows = DATA if DATA in table else FACTOR
    check_varied(table, MODEL)
    check_varied(table, rows)
    return heat_map(table, title, rows=rows, columns=MODEL)


@styled
def heat_map(
    table: DataFrame, title: str, *, rows: str, columns: str, quantity: str = "relative drift"
) -> Figure:
    """A quantity over two axes, such as data set and model, with its numbers, which are means over runs.

    Runs that differ in anything else have panels of their own, with the same colours for the same numbers.
    """
    last = last_epochs(table)
    found, total = panels_of(last, telling_axes(last, [rows, columns]), MOST_MAPS)
    maps = {name: _cells(last, own, rows, columns, quantity) for name, own in found}
    first = next(iter(maps.values()))
    names = [plain_text(name) for name in first.index]
    size = max(0.45 * len(first.columns), 1.5), max(0.28 * len(first), 0.6)
    sheet = sheet_of(f"{title} · {quantity}", list(maps.items()), total, size, columns=1)
    sheet.left = max(max(map(len, names)) * SMALL_CHARACTER + 0.3 - LEFT, 0.0)
    values = np.concatenate([cells.to_numpy(dtype=float).ravel() for cells in maps.values()])
    norm = scale_of(values[np.isfinite(values)])
    for axes, cells in zip(sheet.axes, maps.values(), strict=True):
        _write_cells(axes, cells.to_numpy(dtype=float), norm)
        axes.set_yticks(range(len(cells)), [literal(name) for name in names])
        axes.set(ylabel=literal(axis_name(rows)), xlabel=literal(axis_name(columns)))
        name_categories(sheet, axes, [plain_text(name) for name in cells.columns])
        axes.set_xlim(-0.5, len(cells.columns) - 0.5)
    return sheet.finish()


def _cells(table: DataFrame, own: DataFrame, rows: str, columns: str, quantity: str) -> DataFrame:
    """The means of some runs, in the rows and columns that all runs have together."""
    cells = own.pivot_table(
        values=quantity, index=rows, columns=columns, aggfunc="mean", observed=True, dropna=False
    )
    kept = [[value for value in values_of(table[axis]) if value is not None] for axis in (rows, columns)]
    return cells.reindex(index=kept[0], columns=kept[1])


def _write_cells(axes: Axes, values: NDArray[np.float64], norm: Normalize) -> None:
    """Colours with their numbers, the first row above."""
    draw_cells(axes, values, norm)
    axes.invert_yaxis()
    for (row, column), value in np.ndenumerate(values):
        known = bool(np.isfinite(value))
        colour = "white" if known and norm(value) < 0.5 else "black"
        text = f"{value:.2f}" if known else "?"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=6)


@styled
def over_epochs(table: DataFrame, title: str, *, hue: str | None = None) -> Figure:
    """F40, F43: drift and tail accuracy through training, in one colour per value of ``hue``.

    Runs that differ in anything else have panels of their own.
    """
    if hue is not None:
        check_varied(table, hue)
    hue = hue or hue_of(table)
    colours = hue_colours(table[hue])
    sheet, settings = settings_sheet(title, table, [hue])
    for setting in settings:
        for axes, name, label in zip(
            setting.axes, ("drift", "tail"), ("drift (train)", "tail accuracy (test)"), strict=True
        ):
            draw_lines(sheet, axes, setting.rows.assign(value=setting.rows[name]), EPOCH, hue, colours)
            axes.set(xlabel="epoch", ylabel=label)
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
            finish_values(axes)
    add_colours(sheet, hue, colours)
    return sheet.finish()


@styled
def over_layers(drift: DataFrame, title: str, *, hue: str | None = None) -> Figure:
    """F44: relative drift by layer at the last epoch, from the tables Drift of the runs (train split).

    Runs that differ in anything but ``hue`` have panels of their own.
    """
    hue = hue or hue_of(drift)
    rows = drift[(drift["statistic"] == "relative") & (drift["split"] == "train")]
    colours = hue_colours(rows[hue])
    sheet, settings = settings_sheet(title, rows, [hue], panels=1)
    for setting in settings:
        (axes,) = setting.axes
        draw_lines(sheet, axes, setting.rows, "layer_index", hue, colours)
        axes.set_ylabel("relative drift")
        draw_layer_axis(sheet, axes, layers_by_place(setting.rows), None, "layer")
    add_colours(sheet, hue, colours)
    return sheet.finish()


@styled
def scatter(table: DataFrame, title: str, *, hue: str | None = None) -> Figure:
    """F45: tail accuracy against drift at the last epoch, a point per run, with Pearson's r."""
    hue = hue or hue_of(table)
    last = last_epochs(table)
    sheet = Sheet.of_panels(title)
    last = finite(sheet, last, ("drift", "tail"))
    known = last[["drift", "tail"]].dropna()
    varied = len(known) > 2 and known["drift"].std() > 0 and known["tail"].std() > 0
    r = f", r = {np.corrcoef(known['drift'], known['tail'])[0, 1]:.2f}" if varied else ""
    sheet.title += r
    (axes,) = sheet.axes
    colours = hue_colours(last[hue])
    for value, colour in colours.items():
        chosen = having(last, hue, value)
        axes.plot(chosen["drift"], chosen["tail"], "o", color=colour)
    axes.set(xlabel="drift (train)", ylabel="tail accuracy (test)")
    finish_values(axes)
    add_colours(sheet, hue, colours)
    return sheet.finish()


def check_varied(table: DataFrame, axis: str) -> None:
    """Refuse to compare along an axis on which all runs stand in one place.

    Raises
    ------
    UsageError
    """
    if axis not in table or table[axis].nunique(dropna=False) < 2:
        raise UsageError(f"all runs have the same {axis}; there is nothing to compare")


def finite(sheet: Sheet, rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """The rows with nothing infinite in these columns; a note says how many values have no place."""
    numbers = rows[list(names)].to_numpy(dtype=float)
    lost = int((~np.isfinite(numbers)).sum())
    if lost:
        sheet.notes.add(f"{lost} of {numbers.size} values are undefined or infinite")
    return rows.assign(**{name: rows[name].where(np.isfinite(rows[name])) for name in names})


def draw_bars(sheet: Sheet, axes: Axes, rows: DataFrame, names: Sequence[str]) -> None:
    """Bars of the mean of each quantity for each label, with one deviation over the runs of a label."""
    labels = list(dict.fromkeys(rows[LABEL]))
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        aside = (place - (len(names) - 1) / 2) * width
        means = averaged(rows.assign(value=rows[name]), [LABEL]).set_index(LABEL).loc[labels]
        x = np.arange(len(labels)) + aside
        spread = means["middle"] - means["low"]
        axes.bar(
            x, means["middle"], width, yerr=spread.where(means["n"] > 1), color=COLOURS[name], ecolor="0.3"
        )
        if (means["n"] > 1).any():
            sheet.notes.add(WHISKER_NOTE)
        for border, column in BORDERS:
            draw_border(sheet, axes, x[(means[column] > 0).to_numpy()], border, COLOURS[name], (0, 1))
    if not np.isfinite(rows[list(names)].to_numpy(dtype=float)).any():
        say_empty(axes)
    name_categories(sheet, axes, labels)


def quantity_legend(names: Sequence[str]) -> Legend:
    """The colours of these quantities."""
    return Legend("", [(Line2D([], [], color=COLOURS[name]), name) for name in names])
