"""Estimators of mutual information against the truth, and what they cost (F28, F29)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import finish_values
from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.bands import draw_band
from layerscope.plotting.matrix.legends import add_colours, add_entries
from layerscope.plotting.matrix.roles import hue_colours
from layerscope.plotting.matrix.tables import ESTIMATORS, MatrixTables

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("estimator", "dimension", "corruption", "samples", "seed", "truth", "estimate", "seconds")
ESTIMATOR, DIMENSION, CORRUPTION = COLUMNS[:3]
NOISE = "noise"


def estimator_frame(tables: MatrixTables) -> DataFrame:
    """``estimators.csv`` of the folder: a row per estimate.

    ``estimator``; ``dimension`` of the points; ``corruption``, the share of labels drawn anew; ``samples``;
    ``seed``; ``truth`` and ``estimate`` in nats; ``seconds`` that the estimate took; ``noise``, if any:
    standard deviation of the points around their centres.

    Raises
    ------
    UsageError
        There is no such file, or it has other columns.
    """
    return checked(tables.frame(ESTIMATORS))


def checked(frame: DataFrame) -> DataFrame:
    """The frame, with estimators in the order in which they come."""
    import pandas as pd

    missing = [name for name in COLUMNS if name not in frame]
    if missing or frame.empty:
        what = f"lacks the columns {', '.join(missing)}" if missing else "is empty"
        raise UsageError(f"the table of estimators {what}; it has {', '.join(COLUMNS)}")
    order = list(dict.fromkeys(frame[ESTIMATOR].astype(str)))
    return frame.assign(estimator=pd.Categorical(frame[ESTIMATOR].astype(str), order))


@styled
def estimator_comparison(frame: DataFrame, title: str) -> Figure:
    """F28: estimates against label corruption in two dimensions, and against the dimension; a row per noise.

    Parameters
    ----------
    frame
        The columns of :func:`estimator_frame`. Means and bands are over seeds.
    """
    frame = checked(frame)
    dimensions = [int(each) for each in spread(_two_most_varied(frame), 2)]
    levels, across = _levels(frame), len(dimensions) + 1
    sheet = Sheet.of_panels(title, len(levels) * across, across, (2.1, 1.9), headings=True)
    for row, (heading, level) in enumerate(levels):
        _draw_row(sheet, sheet.axes[row * across : (row + 1) * across], level, dimensions, heading)
    for axes in sheet.axes:
        finish_values(axes)
    add_colours(sheet, ESTIMATOR, hue_colours(frame[ESTIMATOR]))
    add_entries(sheet, "", [(Line2D([], [], color="0.2", linestyle="--"), "truth")])
    return sheet.finish()


@styled
def estimator_runtime(frame: DataFrame, title: str) -> Figure:
    """F29: seconds of an estimate against the dimension, both logarithmic."""
    frame = checked(frame)
    sheet = Sheet.of_panels(title)
    (axes,) = sheet.axes
    seconds = frame.assign(value=frame["seconds"])
    for estimator, colour in hue_colours(frame[ESTIMATOR]).items():
        means = averaged(seconds[seconds[ESTIMATOR] == estimator], [DIMENSION], log=True)
        draw_band(sheet, axes, means, DIMENSION, colour=colour, over="seeds")
    samples = spread(sorted(int(each) for each in frame["samples"].unique()), 2)
    axes.set(xscale="log", yscale="log", xlabel="dimension", ylabel=f"seconds, {_range(samples)} samples")
    finish_values(axes)
    add_colours(sheet, ESTIMATOR, hue_colours(frame[ESTIMATOR]))
    return sheet.finish()


def _levels(frame: DataFrame) -> list[tuple[str, DataFrame]]:
    """What is told apart by noise, ascending, each with the end of its headings; one of all without."""
    if NOISE not in frame or frame[NOISE].nunique() < 2:
        return [("", frame)]
    return [(f", noise {level:g}", own) for level, own in frame.groupby(NOISE)]


def _draw_row(
    sheet: Sheet, row: Sequence[Axes], frame: DataFrame, dimensions: Sequence[int], heading: str
) -> None:
    """Panels by corruption in some dimensions, and one by dimension."""
    for axes, dimension in zip(row, dimensions, strict=False):
        _draw(sheet, axes, frame[frame[DIMENSION] == dimension], CORRUPTION)
        axes.set(xlabel="share of labels drawn anew", ylabel="mutual information (nats)")
        axes.set_title(f"{dimension} dimensions{heading}", fontsize=7)
    last, least = row[-1], frame[CORRUPTION].min()
    _draw(sheet, last, frame[frame[CORRUPTION] == least], DIMENSION)
    last.set(xscale="log", xlabel="dimension", ylabel="mutual information (nats)")
    last.set_title(literal(f"{least:.0%} of labels drawn anew{heading}"), fontsize=7)


def _two_most_varied(frame: DataFrame) -> list[int]:
    """The dimensions in which the most corruptions were tried, at most two, sorted."""
    counts = frame.groupby(DIMENSION)[CORRUPTION].nunique().sort_values(ascending=False, kind="stable")
    best = counts[counts == counts.max()] if counts.max() > 1 else counts[:1]
    return sorted(int(each) for each in best.index)


def _draw(sheet: Sheet, axes: Axes, frame: DataFrame, x: str) -> None:
    colours = hue_colours(frame[ESTIMATOR])
    for place, (estimator, colour) in enumerate(colours.items()):
        own = frame[frame[ESTIMATOR] == estimator]
        if len(own):
            means = averaged(own.assign(value=own["estimate"]), [x])
            draw_band(sheet, axes, means, x, colour=colour, slot=(place, len(colours)), over="seeds")
    truth = frame.groupby(x)["truth"].mean()
    axes.plot(truth.index, truth, color="0.2", linestyle="--", linewidth=1.0, zorder=2.6)


def _range(values: Sequence[int]) -> str:
    return " to ".join(f"{value:,}" for value in values)
