"""Accuracy and loss through training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import draw_reference, finish_values, set_share_axis
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import OTHER_COLOURS, REFERENCE_COLOUR, SPLIT_COLOURS, styled
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
    sheet.legends += [split_legend(tables), *detail_legend(tables)]
    return sheet.finish()


def draw_accuracy(sheet: Sheet, axes: Axes, tables: RunTables) -> None:
    """Accuracy against epoch on one panel."""
    measured = _draw_course(axes, tables, "accuracy")
    if measured is not None:
        draw_reference(axes, 1 / int(measured["classes"].max()))
    axes.set_ylabel("accuracy")
    finish_course(axes)
    set_share_axis(axes)
    finish_values(axes)


def draw_loss(sheet: Sheet, axes: Axes, tables: RunTables) -> None:
    """Loss against epoch on one panel, on a logarithmic axis where it is above 0."""
    _draw_course(axes, tables, "loss")
    values = [line.get_ydata() for line in axes.get_lines()]
    known = np.concatenate([np.asarray(one, dtype=float) for one in values]) if values else np.array([])
    if (known > 0).any() and not (known <= 0).any():
        axes.set_yscale("log")
    axes.set_ylabel("loss")
    finish_course(axes)
    finish_values(axes)


def finish_course(axes: Axes) -> None:
    """The axis of all epochs, not only of checkpoints."""
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.set_xmargin(0.03)


def split_legend(tables: RunTables) -> Legend:
    """Legend of the colours of the splits."""
    colours = _colours(tables)
    return Legend("", [(Line2D([], [], color=colour), split) for split, colour in colours.items()])


def _colours(tables: RunTables) -> dict[str, str]:
    """Train and test, and validation where a share of the training samples was held out."""
    held = tables.has(LOG) and "validation_accuracy" in tables.frames[LOG]
    held = held or tables.has("Accuracy", "validation")
    return {**SPLIT_COLOURS, "validation": OTHER_COLOURS["validation"]} if held else SPLIT_COLOURS


def _draw_course(axes: Axes, tables: RunTables, quantity: str) -> DataFrame | None:
    """Lines of the training log and markers of the checkpoints; the rows of the latter."""
    if not (tables.has(LOG) or tables.has("Accuracy")):
        raise UsageError("there is neither a training log nor the table Accuracy; train the run first")
    measured = tables.rows("Accuracy", quantity=quantity) if tables.has("Accuracy") else None
    for split, colour in _colours(tables).items():
        if tables.has(LOG) and f"{split}_{quantity}" in tables.frames[LOG]:
            _draw_log(axes, tables.frames[LOG], f"{split}_{quantity}", colour)
        if measured is not None:
            _draw_checkpoints(axes, measured[(measured["split"] == split).to_numpy()], colour)
    return measured


def _draw_log(axes: Axes, log: DataFrame, column: str, colour: str) -> None:
    known = log.dropna(subset=[column])  # the initialisation has no training accuracy
    marker = "." if len(known) == 1 else None
    axes.plot(known["epoch"], known[column], color=colour, marker=marker, linewidth=1.1)


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


def detail_legend(tables: RunTables) -> list[Legend]:
    """Legend of checkpoints and chance, where there are any."""
    if not tables.has("Accuracy"):
        return []
    checkpoint = Line2D([], [], linestyle="none", marker="o", markerfacecolor="white", markeredgecolor="0.2")
    chance = Line2D([], [], color=REFERENCE_COLOUR, linestyle=":", linewidth=0.8)
    return [Legend("", [(checkpoint, "checkpoint"), (chance, "chance")])]
