"""The axis of layers, the mark of the NC layer, and the axis of shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike

from layerscope.plotting.drawing.selection import MOST_TICKS, short_name, tick_places
from layerscope.plotting.drawing.sheet import CHARACTER, Sheet
from layerscope.plotting.drawing.style import NC_COLOUR, REFERENCE_COLOUR, LineStyle
from layerscope.plotting.drawing.text import decade, literal, short_number
from layerscope.results.nc_layer import LayerRef

if TYPE_CHECKING:
    from pandas import DataFrame

SMALL_CHARACTER = CHARACTER * 6.5 / 7
MOST_MINOR_TICKS = 60  # more would be a solid line, and take longer than all else
TICK = 0.19  # inches that a slanted name needs beside the next
BOUND = "bound"
"""What a line to compare with is known by."""

SLANT = 0.71  # sine of 45 degrees


def layers_of(frame: DataFrame) -> list[LayerRef]:
    """Layers in execution order, without those a measure skips because it does not apply to them."""
    measured = frame[frame["status"] != "skipped"]
    pairs = measured[["layer_index", "layer_name"]].drop_duplicates("layer_index").sort_values("layer_index")
    return [
        LayerRef(str(name), int(index))
        for index, name in zip(pairs["layer_index"], pairs["layer_name"], strict=True)
    ]


def draw_layer_axis(
    sheet: Sheet, axes: Axes, rows: DataFrame, nc: LayerRef | None, label: str, *, checked: bool = True
) -> None:
    """Finish a panel over layers: name them along x, at most fifteen of them, and mark the NC layer.

    Unless ``checked`` is False, see to the ticks of its values, too.
    """
    layers = layers_of(rows)
    if layers:
        _name_layers(sheet, axes, layers)
        _set_limits(axes, layers)
    axes.set_xlabel(label)
    if checked:
        finish_values(axes)
    if nc is not None:
        _mark_nc_layer(axes, nc)


def draw_epoch_axis(axes: Axes, epochs: Sequence[int]) -> None:
    """Finish a panel over checkpoints: epochs at which there are any, logarithmic when they crowd early."""
    first, last = min(epochs), max(epochs)
    if _crowd(epochs):
        axes.set_xscale("symlog", linthresh=1, linscale=0.4)
        axes.xaxis.set_minor_locator(NullLocator())
        width = np.log10(max(last, 10))
        axes.set_xlim(-0.12 * width if first == 0 else first / 1.15, last * 10 ** (0.04 * width))
    else:
        margin = max(0.04 * (last - first), 0.3)
        axes.set_xlim(first - margin, last + margin)
    ticks = _epoch_ticks(sorted(set(epochs)), axes)
    axes.set_xticks(ticks, [str(epoch) for epoch in ticks])
    axes.set_xlabel("epoch")
    finish_values(axes)


def finish_values(axes: Axes) -> None:
    """Ticks of the y axis that can be read, and a word where there is nothing to see."""
    there = has_values(axes)
    if not there:
        say_empty(axes)
    elif axes.get_yscale() == "log":
        _set_log_ticks(axes)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=(1, 2, 2.5, 5, 10)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))


def say_empty(axes: Axes) -> None:
    """Say that there is nothing to see in a panel, whose y axis then has no numbers either."""
    axes.yaxis.set_major_locator(NullLocator())
    axes.yaxis.set_minor_locator(NullLocator())
    axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", color="0.4")


def begin_at(axes: Axes, low: float) -> None:
    """Let the y axis begin at ``low`` unless something lies below, with some room above what is drawn."""
    bottom, top = float(axes.dataLim.y0), float(axes.dataLim.y1)
    if np.isfinite(top) and top > low <= bottom:
        axes.set_ylim(low, low + 1.06 * (top - low))


def draw_reference(axes: Axes, height: float, style: LineStyle = ":", colour: str = REFERENCE_COLOUR) -> None:
    """A level to compare with, drawn behind the data."""
    axes.axhline(height, color=colour, linewidth=0.8, linestyle=style, zorder=1.5)


def draw_bound(
    axes: Axes, x: ArrayLike, y: ArrayLike, style: LineStyle, colour: str = REFERENCE_COLOUR
) -> None:
    """A line to compare with, of what is finite; one that is the same everywhere crosses the whole panel."""
    heights = np.asarray(y, dtype=float)
    known = heights[np.isfinite(heights)]
    if not len(known):
        return
    if np.ptp(known) <= 1e-9 * abs(known).max():
        draw_reference(axes, float(known[0]), style, colour)
    else:
        axes.plot(np.asarray(x), heights, color=colour, linestyle=style, linewidth=0.8, zorder=1.5, gid=BOUND)


def set_share_axis(axes: Axes) -> None:
    """The y axis of something between nothing and all."""
    axes.set_ylim(0.0, 1.04)
    axes.set_yticks([0.0, 0.2, 0.4, 0.6, 0.8, 1.0])


def _name_layers(sheet: Sheet, axes: Axes, layers: Sequence[LayerRef]) -> None:
    width = sheet.panel[0]
    shown = [layers[place] for place in tick_places(len(layers), min(MOST_TICKS, int(width / TICK)))]
    texts = [literal(short_name(layer.name)) for layer in shown]
    axes.set_xticks([layer.index for layer in shown], texts)
    if len(shown) < len(layers) <= MOST_MINOR_TICKS:
        axes.set_xticks([layer.index for layer in layers], minor=True)
    longest = max(map(len, texts))
    slanted = (longest + 1.5) * SMALL_CHARACTER * len(texts) > width
    if slanted:
        for text in axes.get_xticklabels():
            text.set(rotation=45, ha="right", va="center", rotation_mode="anchor")
        sheet.name_depths[axes] = longest * SMALL_CHARACTER * SLANT


def _set_limits(axes: Axes, layers: Sequence[LayerRef]) -> None:
    first, last = layers[0].index, layers[-1].index
    margin = max(0.03 * (last - first), 0.3)
    axes.set_xlim(first - margin, last + margin)


def _crowd(epochs: Sequence[int]) -> bool:
    """Whether more than half of the checkpoints lie in the first tenth of training."""
    return len(epochs) > 3 and sum(epoch <= max(epochs) / 10 for epoch in epochs) > len(epochs) / 2


def _epoch_ticks(epochs: Sequence[int], axes: Axes) -> list[int]:
    """Epochs whose numbers do not touch: the last, and before it all that are far enough from the next."""
    transform, (left, right) = axes.xaxis.get_transform(), axes.get_xlim()
    places = transform.transform(np.array([left, right, *epochs], dtype=float))
    shares = (places[2:] - places[0]) / (places[1] - places[0])
    chosen: list[int] = []
    free = 2.0
    for epoch, share in zip(reversed(epochs), reversed(shares.tolist()), strict=True):
        if share < free:
            chosen.append(epoch)
            free = share - 0.035 * (len(str(epoch)) + 1.2)
    return sorted(chosen)


def has_values(axes: Axes) -> bool:
    """Whether a line of the panel has any finite value."""
    return any(np.isfinite(np.asarray(line.get_ydata(), dtype=float)).any() for line in _lines(axes))


def _lines(axes: Axes) -> list[Line2D]:
    """Lines of values: neither what they are compared with nor marks at the border of the panel."""
    lines = (line for line in axes.get_lines() if line.get_gid() != BOUND)
    return [line for line in lines if line.get_transform() == axes.transData]


def _set_log_ticks(axes: Axes) -> None:
    """Powers of ten when there are several, else numbers in between: there is always something to read."""
    low, high = axes.get_ylim()
    if high <= 30 * low:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 3 * low else MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: decade(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _mark_nc_layer(axes: Axes, nc: LayerRef) -> None:
    left, right = axes.get_xlim()
    if not left <= nc.index <= right:
        return
    axes.axvline(nc.index, color=NC_COLOUR, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1.6)
    axes.text(
        nc.index,
        1.01,
        "NC layer",
        transform=axes.get_xaxis_transform(),
        color=NC_COLOUR,
        fontsize=6.5,
        ha="center",
        va="bottom",
    )
