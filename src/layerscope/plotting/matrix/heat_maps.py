"""Layer against epoch, the value as colour, averaged over repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from layerscope.plotting.drawing.axes import SMALL_CHARACTER
from layerscope.plotting.drawing.selection import short_name, tick_places
from layerscope.plotting.drawing.sheet import LEFT, Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.colour_bar import add_colour_bar
from layerscope.plotting.matrix.places import check_axes
from layerscope.plotting.matrix.profiles import roles_of_all
from layerscope.plotting.matrix.quantities import label_of
from layerscope.plotting.matrix.roles import panels_of, sheet_of
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

MAP = "viridis"
MISSING = "0.85"
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
    norm = _norm([each["middle"].to_numpy(dtype=float) for each in means], log=log, share=share)
    for axes, (_, own), mean in zip(sheet.axes, shown, means, strict=True):
        _draw_map(sheet, axes, mean, norm)
        _name_sides(sheet, axes, own, mean)
    add_colour_bar(sheet, ScalarMappable(norm, MAP), label_of(rows, label), log=log)
    return sheet.finish()


def _norm(values: Sequence[Any], *, log: bool, share: bool) -> Normalize:
    """The scale of all panels; any, where there is not one value."""
    found = np.concatenate([each[np.isfinite(each)] for each in values] or [np.array([])])
    low, high = (float(found.min()), float(found.max())) if len(found) else (0.5, 1.0)
    if share:
        return Normalize(0.0, 1.0)
    if high <= low:
        low, high = (low / 1.5, high * 1.5) if log else (low - 0.5, high + 0.5)
    return LogNorm(low, high) if log else Normalize(low, high)


def _draw_map(sheet: Sheet, axes: Axes, mean: DataFrame, norm: Normalize) -> None:
    table = mean.pivot(index="layer_index", columns=EPOCH, values="middle")
    axes.set_facecolor(MISSING)
    values = np.ma.masked_invalid(table.to_numpy(dtype=float))
    axes.imshow(values, aspect="auto", cmap=MAP, norm=norm, interpolation="nearest", origin="lower")
    axes.grid(visible=False)
    sheet_notes = {
        "infinite": "▲ infinite",
        "undefined": "\N{MULTIPLICATION SIGN} undefined",
        "too_small": "▼ zero or below",
    }
    for name, note in sheet_notes.items():
        marks = mean.pivot(index="layer_index", columns=EPOCH, values=name).fillna(0).to_numpy() > 0
        if not marks.any():
            continue
        down, across = np.nonzero(marks)
        every = max(1, len(down) // MOST_MARKS)
        size = float(np.clip(60 / max(marks.shape), 1.0, 4.0))
        marker = {"infinite": "^", "undefined": "x", "too_small": "v"}[name]
        axes.plot(across[::every], down[::every], marker, color="#C8102E", markersize=size, linestyle="none")
        sheet.notes.add(f"{note} (in a repetition)")


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
    axes.set_yticks(places, texts, fontsize=5.5, parse_math=False)


def _names(rows: DataFrame) -> dict[int, str]:
    """Layer → its name, where all rows agree; short enough for the space between panels."""
    pairs = rows[["layer_index", "layer_name"]].drop_duplicates()
    alone = pairs[~pairs["layer_index"].duplicated(keep=False)]
    longest = int((LEFT - 0.1) / (SMALL_CHARACTER * 5.5 / 6.5))
    return {
        int(index): short_name(str(name), longest)
        for index, name in zip(alone["layer_index"], alone["layer_name"], strict=True)
    }
