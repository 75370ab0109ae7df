"""Spread within the classes against distance between them, by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerscope.plotting.drawing.axes import draw_layer_axis
from layerscope.plotting.drawing.series import draw_by_epoch, epoch_legend, line_legend
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import LineStyle, styled
from layerscope.plotting.quantity import Quantity, label_of
from layerscope.plotting.run.panels import over_layers
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

VCI = Quantity("VCI", "variability collapse index", {"statistic": "vci"}, share=True)
TRACE_LINES: dict[str, LineStyle] = {"within": "-", "between": "--", "sum": ":"}


@styled
def cdnv(tables: RunTables, split: str = "train") -> Figure:
    """F2 (F11 on the test split): class-distance normalised variance, mean over pairs of classes."""
    sheet = Sheet.of_panels(tables.title)
    draw_cdnv(sheet, sheet.axes[0], tables, split)
    sheet.legends.append(epoch_legend(tables.epochs, split))
    return sheet.finish()


@styled
def traces(tables: RunTables, split: str = "train") -> Figure:
    """F3 (F12 on the test split): traces of the covariances within and between classes, and their shares."""
    sheet = Sheet.of_panels(tables.title, count=2, columns=2)
    draw_traces(sheet, sheet.axes[0], tables, split, scale="absolute")
    draw_traces(sheet, sheet.axes[1], tables, split, scale="relative")
    sheet.legends += [epoch_legend(tables.epochs, split), line_legend(TRACE_LINES)]
    return sheet.finish()


@styled
def nc1(tables: RunTables, split: str = "train") -> Figure:
    """F4 (and its twin on the test split): trace of the within-class over the between-class covariance."""
    sheet = Sheet.of_panels(tables.title)
    draw_nc1(sheet, sheet.axes[0], tables, split)
    sheet.legends.append(epoch_legend(tables.epochs, split))
    return sheet.finish()


def vci(tables: RunTables, split: str = "train") -> Figure:
    """Variability collapse index: what no invertible linear map of the features changes."""
    return over_layers(tables, [VCI], split)


def draw_cdnv(sheet: Sheet, axes: Axes, tables: RunTables, split: str) -> None:
    """Mean CDNV by layer on one panel."""
    rows = _draw_log_measure(sheet, axes, tables, "CDNV", "mean", split)
    axes.set_ylabel(label_of(rows, "CDNV"))


def draw_nc1(sheet: Sheet, axes: Axes, tables: RunTables, split: str) -> None:
    """NC1 with the pseudo-inverse by layer on one panel."""
    _draw_log_measure(sheet, axes, tables, "NC1", "pinv", split)
    axes.set_ylabel(r"$tr\,(\Sigma_W \Sigma_B^{+})\,/\,K$")


def draw_traces(sheet: Sheet, axes: Axes, tables: RunTables, split: str, scale: str) -> None:
    """Traces by layer on one panel, in a scale of the table: absolute (logarithmic axis) or relative."""
    rows = tables.rows("Traces", split=split, scale=scale)
    axes.set_yscale("log")
    for trace, line in TRACE_LINES.items():
        if scale == "relative" and trace == "sum":
            continue  # 1 everywhere
        draw_by_epoch(sheet, axes, rows[rows["trace"] == trace], tables.epochs, line)
    axes.set_ylabel("trace of covariance" if scale == "absolute" else "share of the trace")
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, f"layer ({tables.tap})")


def _draw_log_measure(
    sheet: Sheet, axes: Axes, tables: RunTables, measure: str, statistic: str, split: str
) -> DataFrame:
    """Draw one statistic by layer on one panel; its rows."""
    rows = tables.rows(measure, split=split, statistic=statistic)
    axes.set_yscale("log")
    draw_by_epoch(sheet, axes, rows, tables.epochs)
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, f"layer ({tables.tap})")
    return rows
