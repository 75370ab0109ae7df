"""Accuracy through training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import draw_reference, set_share_axis
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, SPLIT_COLOURS, styled
from layerscope.plotting.run_tables import LOG, RunTables

if TYPE_CHECKING:
    from pandas import DataFrame


@styled
def accuracy(tables: RunTables) -> Figure:
    """F1: accuracy against epoch, on both splits.

    The line is the training log (on the training data: while learning, with augmentation); the markers are
    the measured checkpoints.
    """
    sheet = Sheet.of_panels(tables.title)
    draw_accuracy(sheet, sheet.axes[0], tables)
    sheet.legends.append(split_legend())
    if tables.has("Accuracy"):
        sheet.legends.append(_detail_legend())
    return sheet.finish()


def draw_accuracy(sheet: Sheet, axes: Axes, tables: RunTables) -> None:
    """Accuracy against epoch on one panel."""
    if not (tables.has(LOG) or tables.has("Accuracy")):
        raise UsageError("there is neither a training log nor the table Accuracy; train the run first")
    measured = _measured(tables)
    for split, colour in SPLIT_COLOURS.items():
        if tables.has(LOG):
            _draw_log(axes, tables.frames[LOG], split, colour)
        if measured is not None:
            _draw_checkpoints(axes, measured[measured["split"] == split], colour)
    if measured is not None:
        draw_reference(axes, 1 / int(measured["classes"].max()))
    axes.set(xlabel="epoch", ylabel="accuracy")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.set_xmargin(0.03)
    set_share_axis(axes)


def split_legend() -> Legend:
    """Legend of the colours of the splits."""
    return Legend("", [(Line2D([], [], color=colour), split) for split, colour in SPLIT_COLOURS.items()])


def _measured(tables: RunTables) -> DataFrame | None:
    return tables.rows("Accuracy", quantity="accuracy") if tables.has("Accuracy") else None


def _draw_log(axes: Axes, log: DataFrame, split: str, colour: str) -> None:
    known = log.dropna(subset=[f"{split}_accuracy"])  # the initialisation has no training accuracy
    marker = "." if len(known) == 1 else None
    axes.plot(known["epoch"], known[f"{split}_accuracy"], color=colour, marker=marker, linewidth=1.1)


def _draw_checkpoints(axes: Axes, rows: DataFrame, colour: str) -> None:
    axes.plot(
        rows["epoch"],
        rows["value"],
        linestyle="none",
        marker="o",
        markersize=3.6,
        markerfacecolor="white",
        markeredgecolor=colour,
        clip_on=False,
        zorder=3,
    )


def _detail_legend() -> Legend:
    checkpoint = Line2D([], [], linestyle="none", marker="o", markerfacecolor="white", markeredgecolor="0.2")
    chance = Line2D([], [], color=REFERENCE_COLOUR, linestyle=":", linewidth=0.8)
    return Legend("", [(checkpoint, "checkpoint"), (chance, "chance")])
