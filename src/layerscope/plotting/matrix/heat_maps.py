"""Layer against epoch, the value as colour, averaged over repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from layerscope.plotting.drawing.axes import SMALL_CHARACTER
from layerscope.plotting.drawing.colour_bar import add_common_bar
from layerscope.plotting.drawing.degenerate import count_reasons
from layerscope.plotting.drawing.heat_map import HOLLOW, draw_cells, mark_cells, scale_of
from layerscope.plotting.drawing.selection import short_name, tick_places
from layerscope.plotting.drawing.sheet import LEFT, Sheet
from layerscope.plotting.drawing.style import FIRST_COLOUR, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.bands import BORDERS
from layerscope.plotting.matrix.places import check_axes
from layerscope.plotting.matrix.profiles import roles_of_all
from layerscope.plotting.matrix.roles import panels_of, sheet_of
from layerscope.plotting.quantity import label_of
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_MARKS = 400


@styled
def layer_epoch_map(
    rows: DataFrame,
    title: str,
    *,
    label: str = "value",
    log: bool = False,
    share: bool = False,
    panels: Sequence[str] | None = None,
) -> Figure:
    """A quantity over layers and checkpoints: a panel for every setting, one scale of colours for all.

    Parameters
    ----------
    rows
        As of :func:`~layerscope.plotting.matrix.profiles.profile`.
    panels
        Axes; every axis that tells runs apart when None. Runs that agree on these are averaged.
    """
    check_axes(rows, panels or ())
    shown, total = panels_of(rows, roles_of_all(rows) if panels is None else panels)
    sheet = sheet_of(title, shown, total, (2.2, 1.7) if len(shown) < 3 else (1.55, 1.35))
    means = [averaged(own, ["layer_index", EPOCH], log=log) for _, own in shown]
    norm = scale_of(_finite(means), log=log, limits=(0.0, 1.0) if share else None)
    for axes, (_, own), mean in zip(sheet.axes, shown, means, strict=True):
        _draw_map(sheet, axes, mean, norm)
        _name_sides(sheet, axes, own, mean)
    if len(_finite(means)):
        add_common_bar(sheet, norm, label_of(rows, label))
    return sheet.finish()


def _finite(means: Sequence[DataFrame]) -> NDArray[np.float64]:
    values = np.concatenate([each["middle"].to_numpy(dtype=float) for each in means] or [np.array([])])
    return values[np.isfinite(values)]


def _draw_map(sheet: Sheet, axes: Axes, mean: DataFrame, norm: Normalize) -> None:
    """Layers along y and epochs along x; layers that a network does not have stay white."""

    def grid(column: str) -> NDArray[np.float64]:
        table = mean.pivot(index="layer_index", columns=EPOCH, values=column)
        return table.to_numpy(dtype=float)

    places = range(grid("n").shape[1])
    draw_cells(axes, np.ma.masked_where(np.isnan(grid("n")), grid("middle")), norm)
    marks = {border: grid(name) > 0 for border, name in BORDERS}
    for border in mark_cells(axes, marks, places, colour=FIRST_COLOUR, most=MOST_MARKS):
        sheet.notes.add(f"{border.note} (in a repetition)")
    mark_cells(axes, {HOLLOW: grid("degenerate") > 0}, places, colour=FIRST_COLOUR, most=MOST_MARKS)
    sheet.degenerate.update(count_reasons(mean["reasons"]))


def _name_sides(sheet: Sheet, axes: Axes, rows: DataFrame, mean: DataFrame) -> None:
    epochs = sorted(int(epoch) for epoch in mean[EPOCH].unique())
    wide = max(len(str(epochs[-1])) * SMALL_CHARACTER * 1.6, 0.2)
    places = tick_places(len(epochs), max(2, int(sheet.panel[0] / wide)))
    axes.set_xticks(places, [str(epochs[place]) for place in places])
    axes.set_xlabel("epoch")
    layers = sorted(int(layer) for layer in mean["layer_index"].unique())
    places = tick_places(len(layers), max(2, int(sheet.panel[1] / 0.13)))
    names = _names(rows)
    texts = [names.get(layers[place], str(layers[place])) for place in places]
    axes.set_yticks(places, [literal(text) for text in texts], fontsize=5.5)


def _names(rows: DataFrame) -> dict[int, str]:
    """Layer → its name, where all rows agree; short enough for the space between panels."""
    pairs = rows[["layer_index", "layer_name"]].drop_duplicates()
    alone = pairs[~pairs["layer_index"].duplicated(keep=False)]
    longest = int((LEFT - 0.1) / (SMALL_CHARACTER * 5.5 / 6.5))
    return {
        int(index): short_name(str(name), longest)
        for index, name in zip(alone["layer_index"], alone["layer_name"], strict=True)
    }
