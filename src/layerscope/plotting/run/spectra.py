"""Whole spectra: singular values of the weights, eigenvalues of the covariances of features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import finish_values, layers_of
from layerscope.plotting.drawing.selection import short_name, spread
from layerscope.plotting.drawing.series import epoch_legend
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, depth_colours, epoch_colours, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_LAYERS = 6
MOST_ON_A_LINE = 40  # singular values; more are shown on a logarithmic axis
KINDS = {"total": "total", "within": "within classes", "between": "between classes"}


@styled
def weight_spectra(tables: RunTables) -> Figure:
    """F17: all singular values, a panel per layer (of few of many), one line per checkpoint."""
    rows = tables.rows("WeightSVs", scale="relative")
    rows = rows[(rows["status"] != "skipped").to_numpy()]
    if rows.empty:
        raise UsageError("the table WeightSVs holds no row that applies to this run")
    layers = {layer.index: layer.name for layer in layers_of(rows)}
    shown = spread(list(layers), MOST_LAYERS)
    columns = 2 if len(shown) in (2, 4) else min(len(shown), 3)
    sheet = Sheet.of_panels(tables.title, len(shown), columns, panel=(2.3, 1.65), headings=True)
    for axes, index in zip(sheet.axes, shown, strict=True):
        chosen = rows[(rows["layer_index"] == index).to_numpy()]
        for epoch, colour in epoch_colours(tables.epochs).items():
            _draw_spectrum(axes, chosen[(chosen["epoch"] == epoch).to_numpy()], colour)
        axes.set_title(literal(short_name(layers[index], 30)), loc="left", pad=11)
        _finish(axes, r"$\sigma_i\,/\,\Sigma_j\,\sigma_j$", "index $i$ of the singular value", None)
    sheet.legends.append(epoch_legend(tables.epochs, "weights"))
    return sheet.finish()


@styled
def covariance_spectra(tables: RunTables, split: str = "train") -> Figure:
    """Eigenvalues of the covariances as shares of the trace, at the last checkpoint, one line per layer."""
    rows = tables.rows("ActivationCovSVs", split=split, scale="relative")
    rows = rows[((rows["epoch"] == rows["epoch"].max()) & (rows["class"] == -1)).to_numpy()]
    layers = {layer.index: layer.name for layer in layers_of(rows)}
    colours = depth_colours(spread(list(layers), MOST_LAYERS))
    sheet = Sheet.of_panels(tables.title, len(KINDS), 3, panel=(2.3, 1.65), headings=True)
    for axes, (kind, heading) in zip(sheet.axes, KINDS.items(), strict=True):
        chosen = rows[(rows["kind"] == kind).to_numpy()]
        for index, colour in colours.items():
            _draw_spectrum(axes, chosen[(chosen["layer_index"] == index).to_numpy()], colour)
        axes.set_title(heading, loc="left", pad=11)
        _finish(axes, r"$\lambda_i\,/\,\Sigma_j\,\lambda_j$", "index $i$ of the eigenvalue", _classes(rows))
    sheet.references["$K - 1$"] = ":"
    sheet.legends.append(_layer_legend(colours, layers, f"{split}, epoch {int(rows['epoch'].max())}, layer"))
    return sheet.finish()


def _draw_spectrum(axes: Axes, rows: DataFrame, colour: str) -> None:
    """Values by their index, from 1; what is not above 0 is rounding and left out of the line."""
    ordered = rows.sort_values("sigma_index", kind="stable")
    y = ordered["value"].to_numpy(dtype=float)
    x = ordered["sigma_index"].to_numpy(dtype=float) + 1
    marker = "o" if len(x) < 3 else None
    axes.plot(x, np.where(y > 0, y, np.nan), color=colour, marker=marker)


def _finish(axes: Axes, label: str, x_label: str, classes: int | None) -> None:
    many = axes.dataLim.x1 > MOST_ON_A_LINE
    axes.set(yscale="log", xscale="log" if many else "linear", ylabel=label, xlabel=x_label)
    _see_the_most(axes)
    if classes is not None and classes > 2:
        axes.axvline(classes - 1, color=REFERENCE_COLOUR, linewidth=0.8, linestyle=":", zorder=1.5)
    finish_values(axes)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    if not many:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _see_the_most(axes: Axes) -> None:
    """Cut what is below a billionth of the largest value: rounding would press all else together."""
    low, high = axes.get_ylim()
    if low < 1e-9 * high:
        axes.set_ylim(1e-9 * high, high)


def _classes(rows: DataFrame) -> int | None:
    known = rows["classes"].dropna()
    return int(known.max()) if len(known) else None


def _layer_legend(colours: dict[int, str], layers: dict[int, str], title: str) -> Legend:
    entries = [
        (Line2D([], [], color=colour), literal(short_name(layers[index])))
        for index, colour in colours.items()
    ]
    return Legend(title, entries)
