"""Singular vectors of the weights against the class means that they read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import layers_of
from layerscope.plotting.drawing.selection import short_name, spread
from layerscope.plotting.drawing.sheet import Legend, Sheet, swatch
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_EPOCHS, MOST_LAYERS, MOST_VECTORS = 3, 5, 30
SCALE = Normalize(0.0, 0.8)
PALETTE = "magma_r"
PANEL = (1.05, 1.35)
AGAINST = {"mean": "class mean", "vector": "class vector"}
ARBITRARY = "grey: arbitrary direction"


@styled
def mlp_svd(tables: RunTables, split: str = "train") -> Figure:
    """F15: |cos| of singular vectors of each weight and class means, then singular vectors of the means.

    A panel per checkpoint and layer.
    """
    rows = tables.rows("MLPSVD", split=split)
    rows = rows[((rows["status"] != "skipped") & (rows["weight_vector"] < MOST_VECTORS)).to_numpy()]
    if rows.empty:
        raise UsageError("no layer of this run is linear and tapped at its input, as MLPSVD needs")
    layers = {layer.index: layer.name for layer in layers_of(rows)}
    shown = spread(list(layers), MOST_LAYERS)
    epochs = spread(sorted(map(int, rows["epoch"].unique())), MOST_EPOCHS)
    kinds = [kind for kind in AGAINST if (rows["against"] == kind).any()]
    places = list(product(kinds, epochs, shown))
    columns = len(shown) if len(shown) > 1 else len(epochs)
    sheet = Sheet.of_panels(tables.title, len(places), columns, PANEL, headings=True, between=0.32)
    for axes, (kind, epoch, index) in zip(sheet.axes, places, strict=True):
        wanted = (rows["against"] == kind) & (rows["epoch"] == epoch) & (rows["layer_index"] == index)
        _draw(sheet, axes, rows[wanted.to_numpy()])
        name = literal(short_name(layers[index], 12))
        axes.set_title(f"{name}, epoch {epoch}", loc="left", pad=3, fontsize=6.5)
    _name_axes(sheet, [AGAINST[kind] for kind in kinds])
    sheet.legends.append(_scale(rf"{split}, $|\cos|$"))
    return sheet.finish()


def _name_axes(sheet: Sheet, kinds: Sequence[str]) -> None:
    """The names of the axes, at the left and below the last row of each kind."""
    for axes in sheet.axes[:: sheet.columns]:
        axes.set_ylabel("weight vector")
    each = len(sheet.axes) // len(kinds)
    for number, kind in enumerate(kinds, start=1):
        for axes in sheet.axes[number * each - sheet.columns : number * each]:
            axes.set_xlabel(kind)


def _scale(title: str) -> Legend:
    shown = (0.0, 0.2, 0.4, 0.6, 0.8)
    colours = ScalarMappable(SCALE, PALETTE).to_rgba(np.array(shown))
    return Legend(
        title, [(swatch(colour), f"{value:g}") for colour, value in zip(colours, shown, strict=True)]
    )


def _draw(sheet: Sheet, axes: Axes, rows: DataFrame) -> None:
    axes.set_facecolor("0.85")
    axes.grid(visible=False)
    if rows.empty:
        axes.text(0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color="0.3", fontsize=6)
        axes.set(xticks=[], yticks=[])
        return
    classes, columns = np.unique(rows["class_vector"].to_numpy(), return_inverse=True)
    vectors, lines = np.unique(rows["weight_vector"].to_numpy(), return_inverse=True)
    values = np.full((len(vectors), len(classes)), np.nan)
    values[lines, columns] = rows["value"].to_numpy(dtype=float)
    if np.isnan(values).any():
        sheet.notes.add(ARBITRARY)
    axes.imshow(values, aspect="auto", cmap=PALETTE, norm=SCALE, interpolation="nearest")
    steps = [0, len(classes) - 1] if len(classes) > 1 else [0]
    axes.set_xticks(steps, [str(classes[step]) for step in steps])
    ends = [0, len(vectors) - 1] if len(vectors) > 1 else [0]
    axes.set_yticks(ends, [str(vectors[end] + 1) for end in ends])
