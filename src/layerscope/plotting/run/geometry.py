"""How the class means lie: to each other, and to the weights they meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.plotting.drawing.axes import begin_at, draw_bound, draw_layer_axis, set_share_axis
from layerscope.plotting.drawing.series import draw_by_epoch, draw_series, epoch_legend
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import BELOW, FIRST_COLOUR, LAST_COLOUR, REFERENCE_COLOUR, styled
from layerscope.plotting.quantity import Quantity
from layerscope.plotting.run.panels import over_layers
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

GNC2_PANELS = [
    Quantity("GNC2", f"{statistic} of {text}", {"kernel": kernel, "statistic": statistic})
    for statistic in ("mean", "variance")
    for kernel, text in (("dist", "distance"), ("log", "-log distance"), ("riesz_1", "1 / distance"))
]
ETF_PANELS = {
    "equiangular": r"mean of $|\cos + 1/(K-1)|$",
    "equiangular_std": r"std of $\cos$",
    "equinorm": r"std / mean of $\|m_c\|$",
    "etf_error": "distance to an ETF",
}


@styled
def etf(tables: RunTables, split: str = "train") -> Figure:
    """F5 (F13 on the test split): angles and norms of the class means, and their distance to an ETF."""
    sheet = Sheet.of_panels(tables.title, count=len(ETF_PANELS), columns=2)
    for axes, statistic in zip(sheet.axes, ETF_PANELS, strict=True):
        draw_etf(sheet, axes, tables, split, statistic)
    sheet.legends.append(epoch_legend(tables.epochs, split))
    if _has_floor(tables, split):
        line = Line2D([], [], color=REFERENCE_COLOUR, linestyle=":")
        sheet.legends.append(Legend("", [(line, "attainable in this dimension")]))
    return sheet.finish()


def gnc2(tables: RunTables, split: str = "train") -> Figure:
    """Means and variances of kernels of the distances between the directions of the class means."""
    return over_layers(tables, GNC2_PANELS, split)


@styled
def subspace_angles(tables: RunTables, split: str = "train") -> Figure:
    """F7 (F14 on the test split): mean cosine of the angles between class means and the weights."""
    sheet = Sheet.of_panels(tables.title)
    draw_subspace_angles(sheet, sheet.axes[0], tables, split)
    sheet.legends.append(_first_last_legend(tables, split))
    return sheet.finish()


def draw_etf(sheet: Sheet, axes: Axes, tables: RunTables, split: str, statistic: str) -> None:
    """One statistic of the class means by layer; the ETF error with the floor of each layer's dimension."""
    rows = tables.rows("ETF", split=split, statistic=statistic)
    if statistic == "etf_error" and _has_floor(tables, split):
        _draw_floor(axes, tables, split)
    draw_by_epoch(sheet, axes, rows, tables.epochs)
    axes.set_ylabel(ETF_PANELS[statistic])
    begin_at(axes, 0.0)
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, f"layer ({tables.tap})")


def draw_subspace_angles(sheet: Sheet, axes: Axes, tables: RunTables, split: str) -> None:
    """Mean cosine by layer at the first and the last checkpoint."""
    rows = _largest_rank(tables.rows("AngleBetweenSubspaces", split=split))
    colours = _first_last(tables, split)
    for place, (epoch, colour) in enumerate(colours.items()):
        draw_series(sheet, axes, rows[rows["epoch"] == epoch], colour=colour, slot=(place, len(colours)))
    axes.set_ylabel("mean cosine of angles")
    set_share_axis(axes)
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, "layer")


def _has_floor(tables: RunTables, split: str) -> bool:
    frame = tables.frames["ETF"]
    floor = frame[(frame["split"] == split) & (frame["statistic"] == "etf_floor")]
    return bool((np.isfinite(floor["value"]) & (floor["value"] > 0)).any())


def _draw_floor(axes: Axes, tables: RunTables, split: str) -> None:
    """The least error a layer can have: above 0 where it has fewer dimensions than an ETF of K classes.

    It follows from the layer's dimension, so any epoch of the table has it: the last one is drawn.
    """
    floor = tables.rows("ETF", split=split, statistic="etf_floor")
    floor = floor[floor["epoch"] == floor["epoch"].max()].sort_values("layer_index")
    draw_bound(axes, floor["layer_index"], floor["value"], BELOW)


def _largest_rank(rows: DataFrame) -> DataFrame:
    """One row per layer and epoch. Layers differ in their rank, so no single rank would show them all."""
    ordered = rows.sort_values("rank", kind="stable", na_position="first")
    return ordered.drop_duplicates(["epoch", "layer_index"], keep="last")


def _first_last(tables: RunTables, split: str) -> dict[int, str]:
    epochs = tables.rows("AngleBetweenSubspaces", split=split)["epoch"]
    return {int(epochs.min()): FIRST_COLOUR, int(epochs.max()): LAST_COLOUR}


def _first_last_legend(tables: RunTables, split: str) -> Legend:
    colours = _first_last(tables, split)
    entries = [(Line2D([], [], color=colour, marker="o"), str(epoch)) for epoch, colour in colours.items()]
    return Legend(f"{split}, epoch", entries)
