"""Classifying by the nearest class centre, by layer."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.plotting.drawing.axes import draw_layer_axis, draw_reference, set_share_axis
from layerscope.plotting.drawing.series import draw_series
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, SPLIT_COLOURS, SPLIT_LINES, styled
from layerscope.plotting.run_tables import RunTables


@styled
def ncc(tables: RunTables) -> Figure:
    """F8: accuracy of the nearest training class mean at the last checkpoint, beside the network's own."""
    sheet = Sheet.of_panels(tables.title)
    draw_ncc(sheet, sheet.axes[0], tables)
    sheet.legends.append(_legend(tables))
    return sheet.finish()


def draw_ncc(sheet: Sheet, axes: Axes, tables: RunTables) -> None:
    """Accuracy of the nearest centre by layer on both splits; dotted: the network's accuracy."""
    rows = tables.rows("NCC", statistic="accuracy", epoch=_last_epoch(tables))
    for place, (split, colour) in enumerate(SPLIT_COLOURS.items()):
        series = rows[rows["split"] == split]
        if not series.empty:
            draw_series(sheet, axes, series, colour=colour, line=SPLIT_LINES[split], slot=(place, 2))
            _draw_network(axes, tables, split, colour)
    draw_reference(axes, 1 / int(rows["classes"].max()))
    axes.set_ylabel("nearest-centre accuracy")
    set_share_axis(axes)
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, f"layer ({tables.tap})")


def _draw_network(axes: Axes, tables: RunTables, split: str, colour: str) -> None:
    if not tables.has("Accuracy", split):
        return
    own = tables.rows("Accuracy", split=split, quantity="accuracy")
    own = own[own["epoch"] == _last_epoch(tables)]
    for value in own["value"]:
        axes.axhline(value, color=colour, linewidth=0.8, linestyle=":", zorder=1.5)


def _legend(tables: RunTables) -> Legend:
    entries = [
        (Line2D([], [], color=colour, linestyle=SPLIT_LINES[split], marker="o"), split)
        for split, colour in SPLIT_COLOURS.items()
        if tables.has("NCC", split)
    ]
    dotted = Line2D([], [], color=REFERENCE_COLOUR, linestyle=":")
    text = "network, chance" if tables.has("Accuracy") else "chance"
    return Legend(f"epoch {_last_epoch(tables)}", [*entries, (dotted, text)])


def _last_epoch(tables: RunTables) -> int:
    return int(tables.rows("NCC")["epoch"].max())
