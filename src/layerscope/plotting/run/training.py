"""What training itself looked like: loss, accuracy, gradients, activations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import finish_values
from layerscope.plotting.drawing.selection import short_name, spread
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import depth_colours, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.run.accuracy import (
    detail_legend,
    draw_accuracy,
    draw_loss,
    finish_course,
    split_legend,
)
from layerscope.plotting.run_tables import OBSERVATIONS, RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

STATISTICS = ("mean", "std", "min", "max")
GRADIENT = "#0072B2"


@styled
def training(tables: RunTables) -> Figure:
    """F19: loss and accuracy by epoch, from the training log, with the measured checkpoints."""
    sheet = Sheet.of_panels(tables.title, 2, 2)
    draw_loss(sheet, sheet.axes[0], tables)
    draw_accuracy(sheet, sheet.axes[1], tables)
    sheet.legends += [split_legend(tables), *detail_legend(tables)]
    return sheet.finish()


@styled
def observations(tables: RunTables) -> Figure:
    """F23: norm of the gradient; mean, deviation, least and largest of the activations, through training.

    Steps are shown as fractions of their epoch.
    """
    frame = tables.rows(OBSERVATIONS)
    frame = frame.assign(at=_places(frame))
    activations = frame[(frame["quantity"] == "activations").to_numpy()]
    gradients = frame[(frame["quantity"] == "gradient_norm").to_numpy()]
    panels = ["gradient norm"] * bool(len(gradients))
    panels += [f"activations, {name}" for name in STATISTICS] if len(activations) else []
    if not panels:
        raise UsageError("observations.csv holds neither gradient norms nor activations")
    sheet = Sheet.of_panels(tables.title, len(panels), min(len(panels), 3), panel=(2.3, 1.65), headings=True)
    axes = list(sheet.axes)
    if len(gradients):
        _draw_gradients(axes.pop(0), gradients)
    if len(activations):
        sheet.legends.append(_draw_activations(axes, activations))
    for panel, heading in zip(sheet.axes, panels, strict=True):
        panel.set_title(heading, loc="left", pad=6)
        panel.set_ylabel("norm" if heading.startswith("gradient") else "value")
        finish_course(panel)
        finish_values(panel)
    return sheet.finish()


def _places(frame: DataFrame) -> np.ndarray:
    """Where on the axis of epochs a row lies: steps at their share of the epoch that they lead to."""
    epochs = frame["epoch"].to_numpy(dtype=float)
    steps = frame["step"].to_numpy(dtype=float)
    last = frame.groupby("epoch")["step"].transform("max").to_numpy(dtype=float)
    return np.where(np.isfinite(steps), epochs - 1 + steps / np.where(last > 0, last, 1.0), epochs)


def _draw_gradients(axes: Axes, rows: DataFrame) -> None:
    """The norm, on a logarithmic axis; of whole epochs the mean, in a band from smallest to largest."""
    axes.set_yscale("log")
    by = {name: rows[(rows["statistic"] == name).to_numpy()] for name in ("value", "mean", "min", "max")}
    middle = by["value"] if len(by["value"]) else by["mean"]
    axes.plot(middle["at"], _above_zero(middle), color=GRADIENT, linewidth=0.8, marker=_marker(len(middle)))
    if len(by["min"]) == len(by["max"]) > 1:
        low, high = _above_zero(by["min"]), _above_zero(by["max"])
        axes.fill_between(by["min"]["at"], low, high, color=GRADIENT, alpha=0.2, linewidth=0)


def _draw_activations(panels: list[Axes], rows: DataFrame) -> Legend:
    names = list(dict.fromkeys(rows["layer_name"]))
    colours = depth_colours(spread(range(len(names))))
    for axes, statistic in zip(panels, STATISTICS, strict=True):
        chosen = rows[(rows["statistic"] == statistic).to_numpy()]
        for place, colour in colours.items():
            series = chosen[(chosen["layer_name"] == names[place]).to_numpy()]
            axes.plot(series["at"], series["value"], color=colour, linewidth=0.8, marker=_marker(len(series)))
    entries = [
        (Line2D([], [], color=colour), literal(short_name(str(names[place]))))
        for place, colour in colours.items()
    ]
    return Legend("layer", entries)


def _marker(points: int) -> str | None:
    return "o" if points < 3 else None


def _above_zero(rows: DataFrame) -> np.ndarray:
    values = rows["value"].to_numpy(dtype=float)
    return np.where(values > 0, values, np.nan)
