"""Pairs of classes in colours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import layers_of
from layerscope.plotting.drawing.heat_map import draw_heat_map
from layerscope.plotting.drawing.selection import short_name, spread, tick_places
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.quantity import label_of
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_LAYERS, COLUMNS, SIDE = 6, 3, 1.5


@styled
def cdnv_pairs(tables: RunTables, split: str = "train") -> Figure:
    """CDNV of every pair of classes at the last checkpoint, a panel for each of at most six layers."""
    rows = tables.rows("CDNVPairs", split=split)
    rows = rows[((rows["status"] != "skipped") & (rows["epoch"] == rows["epoch"].max())).to_numpy()]
    if rows.empty:
        raise UsageError(
            f"there is no row of split {split} of CDNVPairs that applies: it takes 2 to 200 classes"
        )
    layers = {layer.index: layer.name for layer in layers_of(rows)}
    shown = spread(list(layers), MOST_LAYERS)
    panel = (SIDE, SIDE)
    sheet = Sheet.of_panels(
        tables.title, len(shown), COLUMNS, panel, headings=True, colour_bars=True, between=0.5
    )
    for axes, index in zip(sheet.axes, shown, strict=True):
        _draw(sheet, axes, rows[(rows["layer_index"] == index).to_numpy()])
        axes.set_title(literal(short_name(layers[index], 16)), loc="left", pad=3, fontsize=6.5)
    name = label_of(rows, "CDNV")
    sheet.notes.add(f"colour: {name} of two classes, {split}, epoch {int(rows['epoch'].iloc[0])}")
    return sheet.finish()


def _draw(sheet: Sheet, axes: Axes, rows: DataFrame) -> None:
    classes = np.unique(rows[["class", "other"]].to_numpy())
    draw_heat_map(sheet, axes, _matrix(rows, classes), range(len(classes)), list(map(str, classes)), log=True)
    ticks = tick_places(len(classes))
    axes.set_xticks(ticks, [str(classes[tick]) for tick in ticks])
    axes.set_xlabel("class")


def _matrix(
    rows: DataFrame, classes: NDArray[np.int64]
) -> np.ma.MaskedArray[tuple[int, int], np.dtype[np.float64]]:
    """Values (K, K) of pairs in either order; a class with itself, which is no pair, is masked."""
    down, across = (np.searchsorted(classes, rows[name].to_numpy()) for name in ("class", "other"))
    found = np.ma.masked_array(np.zeros((len(classes), len(classes))), mask=True)
    found[down, across] = found[across, down] = rows["value"].to_numpy(dtype=float)
    return found
