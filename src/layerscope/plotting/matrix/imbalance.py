"""Figures about drift and rare classes over the runs of a group; each draws a frame of `imbalance_table`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import SMALL_CHARACTER
from layerscope.plotting.drawing.sheet import LEFT, Legend, Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, styled
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.bands import draw_band
from layerscope.plotting.matrix.category_axis import name_categories
from layerscope.plotting.matrix.fits import PowerLaw, power_law
from layerscope.plotting.matrix.imbalance_table import FACTOR, hue_of, last_epochs
from layerscope.plotting.matrix.legends import add_colours
from layerscope.plotting.matrix.places import axis_name, having, plain_text
from layerscope.plotting.matrix.roles import hue_colours
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


def drift_law(table: DataFrame) -> PowerLaw:
    """The power law of the mean drift at each imbalance ratio (1 / factor), at the last epoch."""
    means = last_epochs(table).groupby(FACTOR)["drift"].mean()
    return power_law([1 / float(factor) for factor in means.index], means.tolist())


@styled
def scaling(table: DataFrame, title: str) -> Figure:
    """F34: drift against the imbalance ratio on logarithmic axes with its power law, and the accuracies."""
    check_varied(table, FACTOR)
    last = last_epochs(table)
    last = last.assign(ratio=1 / last[FACTOR].astype(float))
    sheet = Sheet.of_panels(title, 2, 2, headings=True)
    drift, accuracy = sheet.axes
    draw_spread(sheet, drift, last, "ratio", ("drift",))
    law = drift_law(table)
    ends = np.array([last["ratio"].min(), last["ratio"].max()])
    drift.plot(ends, law.coefficient * ends**law.exponent, color=REFERENCE_COLOUR, linestyle="--", zorder=1)
    drift.set_title(f"exponent {law.exponent:.3f}, R² {law.r2:.3f}")
    drift.set(xscale="log", yscale="log", xlabel="imbalance ratio", ylabel="drift (train)")
    drift.yaxis.set_minor_locator(NullLocator())
    drift.yaxis.set_major_locator(FixedLocator(_few(drift.get_ylim())))
    drift.yaxis.set_major_formatter(lambda value, _: f"{value:.3g}")
    draw_spread(sheet, accuracy, last, "ratio", ACCURACIES)
    accuracy.set(xscale="log", xlabel="imbalance ratio", ylabel="test accuracy")
    for axes in sheet.axes:
        ratios = sorted(last["ratio"].unique())
        axes.set_xticks(ratios, [f"{ratio:.4g}" for ratio in ratios])
        axes.xaxis.set_minor_locator(NullLocator())
    sheet.legends.append(_legend(ACCURACIES))
    return sheet.finish()


@styled
def against(table: DataFrame, title: str, *, axis: str, log_x: bool = True) -> Figure:
    """F36, F38, F39: drift and accuracies against a number that the runs differ in.

    On a logarithmic axis 0 stands one place left of the smallest number above it.
    """
    check_varied(table, axis)
    last = last_epochs(table)
    values = last[axis].astype(float)
    above = np.sort(values[values > 0].unique())
    zero = above[0] / 10 if log_x and len(above) else 0.0
    last = last.assign(place=values.where(values > 0, zero) if log_x else values)
    sheet = Sheet.of_panels(title, 2, 2)
    places = {float(place): f"{value:g}" for place, value in zip(last["place"], values, strict=True)}
    for axes, names, label in zip(
        sheet.axes, (("drift",), ACCURACIES), ("drift (train)", "test accuracy"), strict=True
    ):
        draw_spread(sheet, axes, last, "place", names)
        axes.set(xscale="log" if log_x else "linear", xlabel=axis.rpartition(".")[2], ylabel=label)
        axes.set_xticks(list(places), list(places.values()))
        axes.xaxis.set_minor_locator(NullLocator())
    sheet.legends.append(_legend(ACCURACIES))
    return sheet.finish()


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
    sheet.legends.append(_legend(accuracies))
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
    """A quantity over two axes, such as data set and model, with its numbers."""
    cells = last_epochs(table).pivot_table(
        values=quantity, index=rows, columns=columns, aggfunc="mean", observed=True, dropna=False
    )
    names = [plain_text(name) for name in cells.index]
    width, height = max(0.45 * len(cells.columns), 1.5), max(0.28 * len(cells), 0.6)
    sheet = Sheet.of_panels(f"{title}: {quantity}", panel=(width, height))
    (axes,) = sheet.axes
    values = cells.to_numpy(dtype=float)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    axes.set_facecolor("0.85")
    axes.imshow(np.ma.masked_invalid(values), aspect="auto", cmap="viridis", vmin=low, vmax=high)
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value < (low + high) / 2 else "black"
        text = f"{value:.2f}" if np.isfinite(value) else "?"
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=6)
    axes.grid(visible=False)
    axes.set_yticks(range(len(cells)), names)
    axes.set_ylabel(axis_name(rows))
    axes.set_xlabel(axis_name(columns))
    sheet.left = max(max(map(len, names)) * SMALL_CHARACTER + 0.3 - LEFT, 0.0)
    name_categories(sheet, axes, [plain_text(name) for name in cells.columns])
    axes.set_xlim(-0.5, len(cells.columns) - 0.5)
    return sheet.finish()


@styled
def over_epochs(table: DataFrame, title: str, *, hue: str | None = None) -> Figure:
    """F40, F43: drift and tail accuracy through training, in one colour per value of ``hue``."""
    if hue is not None:
        check_varied(table, hue)
    hue = hue or hue_of(table)
    sheet = Sheet.of_panels(title, 2, 2)
    colours = hue_colours(table[hue])
    slots = {value: (place, len(colours)) for place, value in enumerate(colours)}
    for value, colour in colours.items():
        own = having(table, hue, value)
        for axes, name in zip(sheet.axes, ("drift", "tail"), strict=True):
            means = averaged(own.assign(value=own[name]), [EPOCH])
            draw_band(sheet, axes, means, EPOCH, colour=colour, slot=slots[value])
    for axes, label in zip(sheet.axes, ("drift (train)", "tail accuracy (test)"), strict=True):
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    add_colours(sheet, hue, colours)
    return sheet.finish()


@styled
def over_layers(drift: DataFrame, title: str, *, hue: str | None = None) -> Figure:
    """F44: relative drift by layer at the last epoch, from the tables Drift of the runs (train split)."""
    hue = hue or hue_of(drift)
    rows = drift[(drift["statistic"] == "relative") & (drift["split"] == "train")]
    sheet = Sheet.of_panels(title)
    (axes,) = sheet.axes
    colours = hue_colours(rows[hue])
    slots = {value: (place, len(colours)) for place, value in enumerate(colours)}
    for value, colour in colours.items():
        means = averaged(having(rows, hue, value), ["layer_index"])
        draw_band(sheet, axes, means, "layer_index", colour=colour, slot=slots[value])
    axes.set(xlabel="layer", ylabel="relative drift")
    axes.xaxis.set_major_locator(MaxNLocator(14, integer=True, min_n_ticks=1))
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
    add_colours(sheet, hue, colours)
    return sheet.finish()


def check_varied(table: DataFrame, axis: str) -> None:
    """Refuse to compare along an axis on which all runs stand in one place.

    Raises
    ------
    UsageError
    """
    if axis not in table or table[axis].nunique() < 2:
        raise UsageError(f"all runs have the same {axis}; there is nothing to compare")


def finite(sheet: Sheet, rows: DataFrame, names: Sequence[str]) -> DataFrame:
    """The rows with nothing infinite in these columns; a note says how many values have no place."""
    numbers = rows[list(names)].to_numpy(dtype=float)
    lost = int((~np.isfinite(numbers)).sum())
    if lost:
        sheet.notes.add(f"{lost} of {numbers.size} values are undefined or infinite")
    return rows.assign(**{name: rows[name].where(np.isfinite(rows[name])) for name in names})


def draw_spread(sheet: Sheet, axes: Axes, rows: DataFrame, x: str, names: Sequence[str]) -> None:
    """Each quantity against ``x``: a point per run, a line through the means, a band of one deviation."""
    rows = finite(sheet, rows, names)
    for name in names:
        groups = rows.groupby(x)[name]
        mean, deviation = groups.mean(), groups.std(ddof=0).fillna(0.0)
        axes.plot(mean.index, mean, color=COLOURS[name], zorder=3)
        axes.fill_between(
            mean.index, mean - deviation, mean + deviation, color=COLOURS[name], alpha=0.18, linewidth=0
        )
        axes.plot(rows[x], rows[name], "o", color=COLOURS[name], markersize=2.2, alpha=0.6)


def draw_bars(sheet: Sheet, axes: Axes, rows: DataFrame, names: Sequence[str]) -> None:
    """Bars of the mean of each quantity for each label."""
    rows = finite(sheet, rows, names)
    labels = list(dict.fromkeys(rows["label"]))
    width = 0.8 / len(names)
    for place, name in enumerate(names):
        aside = (place - (len(names) - 1) / 2) * width
        for number, label in enumerate(labels):
            values = rows[rows["label"] == label][name]
            deviation = float(values.std(ddof=0)) if len(values) > 1 else 0.0
            axes.bar(number + aside, values.mean(), width, yerr=deviation, color=COLOURS[name], ecolor="0.3")
    name_categories(sheet, axes, labels)


def _few(limits: tuple[float, float]) -> list[float]:
    """Four places between the ends of a short logarithmic axis, which has no power of ten."""
    low, high = limits
    return [float(f"{place:.2g}") for place in np.geomspace(low * 1.02, high * 0.98, 4)]


def _legend(names: Sequence[str]) -> Legend:
    return Legend("", [(Line2D([], [], color=COLOURS[name]), name) for name in names])
