"""Spectra of the weight matrices."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.plotting.drawing.axes import draw_layer_axis
from layerscope.plotting.drawing.series import draw_series
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import shades, styled
from layerscope.plotting.run_tables import RunTables

LEADING, SHOWN = 10, 30
INDEX_COLOURS = (
    *shades("Reds", LEADING, 0.95, 0.45),
    *shades("Blues", SHOWN - LEADING, 0.95, 0.4),
)


@styled
def weight_svs(tables: RunTables) -> Figure:
    """F6: the thirty largest singular values of each layer's weights at the last checkpoint."""
    sheet = Sheet.of_panels(tables.title)
    draw_weight_svs(sheet, sheet.axes[0], tables)
    sheet.legends.append(singular_value_legend(tables))
    return sheet.finish()


def draw_weight_svs(sheet: Sheet, axes: Axes, tables: RunTables) -> None:
    """Singular values as shares of their sum by layer, one line per index."""
    rows = tables.rows("WeightSVs", scale="relative", epoch=_last_epoch(tables))
    rows = rows[(rows["sigma_index"] < SHOWN) | rows["sigma_index"].isna()]
    axes.set_yscale("log")
    for index, series in reversed(list(rows.groupby("sigma_index", dropna=False))):
        colour = INDEX_COLOURS[int(index)] if index == index else INDEX_COLOURS[0]
        draw_series(sheet, axes, series, colour=colour)
    axes.set_ylabel(r"$\sigma_i\,/\,\Sigma_j\,\sigma_j$")
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, "layer")


def singular_value_legend(tables: RunTables) -> Legend:
    """Legend of some of the indices that are drawn, counted from 1."""
    last = _last_epoch(tables)
    indices = tables.rows("WeightSVs", scale="relative", epoch=last)["sigma_index"]
    most = min(int(indices.max()) + 1, SHOWN) if indices.notna().any() else 1
    shown = sorted({number for number in (1, LEADING, LEADING + 1, SHOWN, most) if number <= most})
    entries = [(Line2D([], [], color=INDEX_COLOURS[number - 1]), str(number)) for number in shown]
    return Legend(f"epoch {last}, singular value", entries)


def _last_epoch(tables: RunTables) -> int:
    return int(tables.rows("WeightSVs")["epoch"].max())
