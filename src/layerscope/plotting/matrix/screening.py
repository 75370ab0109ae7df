"""Models against each other: does a measure of a network tell its accuracy? (F31)"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import say_empty
from layerscope.plotting.drawing.degenerate import count_reasons, reasons_of
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.bounds import draw_bounds
from layerscope.plotting.matrix.legends import add_colours
from layerscope.plotting.matrix.places import axes_in, check_axes, having
from layerscope.plotting.matrix.points import draw_points
from layerscope.plotting.matrix.quantities import QUANTITIES, last_epoch, last_layer, named_rows
from layerscope.plotting.matrix.roles import hue_colours, roles
from layerscope.plotting.matrix.tables import SIZES, MatrixTables
from layerscope.plotting.quantity import label_of
from layerscope.plotting.run_tables import LOG
from layerscope.results.correlation import correlation
from layerscope.results.known_runs import RUN

if TYPE_CHECKING:
    from pandas import DataFrame

MEASURES = ("DSE", "DSMI_inputs", "DSMI", "CDNV", "NC1")
MOST_MEASURES = 3
KEPT = ("value", "status", "reason", "reference")
SMALLEST, LARGEST = 6.0, 90.0
MILLION = 1e6
AREAS = {"bytes": ("size of the network", "MB"), "parameters": ("parameters", "million")}


def screening_frame(tables: MatrixTables) -> DataFrame:
    """``run``, the axes, ``measure`` (its label), ``value, train, test`` (accuracies), ``bytes`` (network);
    and ``reference``, what a value is to be compared with, which is ``compared`` in words.

    All are of a run's last epoch, measures of its last layer: entropy and information where they are
    measured, else collapse.
    """
    import pandas as pd

    log = last_epoch(tables.frame(LOG)).astype({RUN: str})
    log = log[[RUN, "train_accuracy", "test_accuracy"]]
    log.columns = [RUN, "train", "test"]
    found = []
    for name in MEASURES:
        quantity = QUANTITIES[name]
        if quantity.table not in tables.frames:
            continue
        try:
            rows = last_epoch(last_layer(named_rows(tables, name, compared=True)))
        except UsageError:  # this table has no such rows
            continue
        kept = [column for column in (RUN, *axes_in(rows), *KEPT) if column in rows]
        own = rows[kept].assign(measure=label_of(rows, quantity.label), compared=quantity.reference)
        found.append(own.astype({RUN: str}))
    if not found:
        raise UsageError(f"no run below {tables.base} has rows of {' or '.join(MEASURES)}")
    frame = pd.concat(found[:MOST_MEASURES], ignore_index=True).merge(log, on=RUN)
    if SIZES not in tables.frames:
        return frame.assign(bytes=np.nan)
    return frame.merge(tables.frame(SIZES), on=RUN, how="left")


@styled
def screening(frame: DataFrame, title: str, *, hue: str | None = None) -> Figure:
    """F31: a point per run, as large as its network, hollow where degenerate.

    Rows are measures, columns the accuracies.

    Parameters
    ----------
    frame
        What :func:`screening_frame` gives, or ``measure, value``, any of the accuracies ``train, test, top1,
        top5`` and others named ``… accuracy`` in full, and perhaps ``bytes`` or ``parameters``, of other
        networks.
    hue
        An axis for the colours; chosen when None.
    """
    check_axes(frame, [hue] if hue else [])
    hue = hue or roles(frame).hue
    measures = list(dict.fromkeys(frame["measure"]))
    accuracies = _accuracies(frame)
    sheet = Sheet.of_panels(
        title, len(measures) * len(accuracies), len(accuracies), (2.6, 1.8), headings=True
    )
    panels = iter(sheet.axes)
    colours = hue_colours(frame[hue]) if hue else {None: "#0072B2"}
    sizes = _sizes(frame)
    for measure in measures:
        for accuracy, label in accuracies.items():
            axes = next(panels)
            own = frame[frame["measure"] == measure]
            for value, colour in colours.items():
                shown = having(own, hue, value) if hue else own
                rgba = [to_rgba(colour, 0.65)] * len(shown)
                draw_points(axes, shown, accuracy, rgba, sizes[shown.index])
            if not np.isfinite(own["value"]).any():
                say_empty(axes)
            sets = [having(own, hue, value) if hue else own for value in colours]
            draw_bounds(sheet, axes, sets, list(colours.values()), _compared(own), "")
            axes.set(xlabel=label, ylabel=measure)
            axes.xaxis.set_major_locator(MaxNLocator(5))
            axes.set_title(literal(_statistics(own[accuracy], own["value"])), fontsize=6.5)
    sheet.degenerate.update(count_reasons(reasons_of(frame[np.isfinite(frame["value"])])))
    if lost := int((~np.isfinite(frame["value"])).sum()):
        sheet.notes.add(f"not shown: {lost} value{'s' if lost > 1 else ''}, infinite or undefined")
    for column, (what, unit) in AREAS.items():
        if column in frame and frame[column].notna().any():
            sheet.notes.add(f"area: {what}, {_range(frame[column])} {unit}")
    add_colours(sheet, hue, colours)
    return sheet.finish()


def _accuracies(frame: DataFrame) -> dict[str, str]:
    """Columns of accuracies, and what they are called on an axis."""
    short = {name: f"{name} accuracy" for name in ("train", "test", "top1", "top5") if name in frame}
    return {**short, **{name: name for name in map(str, frame.columns) if " accuracy" in name}}


def _compared(rows: DataFrame) -> str:
    return str(rows["compared"].iloc[0]) if "compared" in rows else ""


def _statistics(x: Any, y: Any) -> str:
    found = correlation(x.to_numpy(), y.to_numpy(), resamples=1)
    if found.pearson != found.pearson:
        return f"no correlation: {found.n} points, or nothing varies"
    pearson = f"Pearson {found.pearson:.2f} (p {_p(found.pearson_p)})"
    return f"{pearson}, Spearman {found.spearman:.2f} (p {_p(found.spearman_p)})"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def _sizes(frame: DataFrame) -> Any:
    """Area of each point, from the smallest network to the largest; all alike where sizes are not known."""
    import pandas as pd

    column = next((name for name in AREAS if name in frame), None)
    known = frame[column] if column else pd.Series(np.nan, frame.index)
    top = known.max()
    share = known / top if top and top == top else known
    crowd = min(1.0, (100 / max(len(frame), 1)) ** 0.5)
    return (SMALLEST + (LARGEST - SMALLEST) * share).fillna(20.0) * crowd


def _range(sizes: Any) -> str:
    low, high = sizes.min() / MILLION, sizes.max() / MILLION
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
