"""The run at a glance: one page with every measure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting.drawing.series import epoch_legend
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.run.accuracy import draw_accuracy, split_legend
from layerscope.plotting.run.geometry import draw_etf, draw_subspace_angles
from layerscope.plotting.run.nearest_center import draw_ncc
from layerscope.plotting.run.variability import draw_cdnv, draw_nc1, draw_traces
from layerscope.plotting.run.weights import draw_weight_svs, singular_value_legend
from layerscope.plotting.run_tables import LOG, RunTables

Draw = Callable[[Sheet, Axes, RunTables], None]


class _Panel(NamedTuple):
    heading: str
    table: str
    split: str | None
    draw: Draw


PANELS = (
    _Panel("Accuracy", "Accuracy", None, draw_accuracy),
    _Panel("CDNV", "CDNV", "train", lambda sheet, axes, tables: draw_cdnv(sheet, axes, tables, "train")),
    _Panel(
        "Traces: within solid, between dashed",
        "Traces",
        "train",
        lambda sheet, axes, tables: draw_traces(sheet, axes, tables, "train", "relative"),
    ),
    _Panel("NC1", "NC1", "train", lambda sheet, axes, tables: draw_nc1(sheet, axes, tables, "train")),
    _Panel(
        "ETF error",
        "ETF",
        "train",
        lambda sheet, axes, tables: draw_etf(sheet, axes, tables, "train", "etf_error"),
    ),
    _Panel("Nearest class centre", "NCC", None, draw_ncc),
    _Panel(
        "Subspace angles: first (red), last (black)",
        "AngleBetweenSubspaces",
        "train",
        lambda sheet, axes, tables: draw_subspace_angles(sheet, axes, tables, "train"),
    ),
    _Panel("Weight spectra", "WeightSVs", None, draw_weight_svs),
)


@styled
def overview(tables: RunTables) -> Figure:
    """Every measure that the run has, a panel each, on the training split where there is a choice."""
    panels = [panel for panel in PANELS if _is_there(panel, tables)]
    if not panels:
        raise UsageError("the run has no table yet; train and measure it first")
    columns = min(len(panels), 4)
    sheet = Sheet.of_panels(tables.title, len(panels), columns, panel=(2.3, 1.65), headings=True)
    for axes, panel in zip(sheet.axes, panels, strict=True):
        panel.draw(sheet, axes, tables)
        axes.set_title(panel.heading, loc="left", pad=11)
    _add_legends(sheet, tables)
    return sheet.finish()


def _is_there(panel: _Panel, tables: RunTables) -> bool:
    if panel.table == "Accuracy" and tables.has(LOG):
        return True
    return tables.has(panel.table, panel.split)


def _add_legends(sheet: Sheet, tables: RunTables) -> None:
    if tables.epochs:
        sheet.legends.append(epoch_legend(tables.epochs, "train"))
    sheet.legends.append(split_legend(tables))
    if tables.has("WeightSVs"):
        sheet.legends.append(singular_value_legend(tables))
