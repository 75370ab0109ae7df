"""Which axis of a matrix gives colours and which ones give panels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from layerscope.plotting.drawing.axes import SMALL_CHARACTER
from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import GROUP_COLOURS, shades
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.places import (
    EXCLUSIVE,
    IDS,
    cells,
    check_axes,
    clipped,
    telling_axes,
    values_of,
)

if TYPE_CHECKING:
    from pandas import DataFrame, Series

MOST_HUES = 8
MOST_PANELS = 24
MOST_COLUMNS = 4


class Roles(NamedTuple):
    """The axis of the colours, and those of the panels."""

    hue: str | None
    panels: tuple[str, ...]


def roles(frame: DataFrame, hue: str | None = None, panels: Sequence[str] | None = None) -> Roles:
    """The axes that were asked for; otherwise a condition or a number gives the colours, all else panels.

    Raises
    ------
    UsageError
        There is no such axis.
    """
    check_axes(frame, [*([hue] if hue else []), *(panels or ())])
    axes = [axis for axis in telling_axes(frame) if axis not in (panels or ())]
    if hue is None:
        fit = [
            axis for axis in axes if axis != "Model.model-name" and len(values_of(frame[axis])) <= MOST_HUES
        ]
        hue = min(fit, key=lambda axis: _hue_preference(frame, axis), default=None)
    return Roles(hue, tuple(axis for axis in axes if axis != hue) if panels is None else tuple(panels))


def hue_colours(column: Series[Any] | None) -> dict[Any, str]:
    """Value → colour: a scale of shades for numbers, colours to be told apart for anything else."""
    if column is None:
        return {}
    values = values_of(column)
    if column.dtype.name != "category" or len(values) > len(GROUP_COLOURS):
        return dict(zip(values, shades("viridis", len(values), 0.86, 0.0), strict=True))
    return dict(zip(values, GROUP_COLOURS, strict=False))


def panels_of(
    frame: DataFrame, axes: Sequence[str], most: int = MOST_PANELS
) -> tuple[list[tuple[str, DataFrame]], int]:
    """Name and rows of each panel, at most so many, evenly chosen; and how many there would be."""
    found = list(cells(frame, axes))
    return [found[place] for place in spread(range(len(found)), most)], len(found)


def sheet_of(
    title: str,
    panels: Sequence[tuple[str, Any]],
    total: int,
    panel: tuple[float, float] | None = None,
    columns: int | None = None,
) -> Sheet:
    """A sheet for these panels, each under its name; it says when some are left out."""
    count = len(panels)
    if columns is None:
        columns = min(count, MOST_COLUMNS if count > 4 else max(count, 1) if count < 4 else 2)
    size = panel or ((2.95, 2.0) if columns < 3 else (1.9, 1.45))
    named = any(name for name, _ in panels)
    sheet = Sheet.of_panels(title, count, columns, size, headings=named)
    for axes, (name, _) in zip(sheet.axes, panels, strict=True):
        if name:
            heading(sheet, axes, name)
    if total > count:
        sheet.notes.add(f"{count} of {total} combinations are shown")
    return sheet


def heading(sheet: Sheet, axes: Any, name: str) -> None:
    """Write the name of a panel above it, no wider than it is."""
    axes.set_title(literal(clipped(name, int((sheet.panel[0] + 0.55) / SMALL_CHARACTER))), fontsize=6.5)


def _hue_preference(frame: DataFrame, axis: str) -> int:
    if axis.startswith(EXCLUSIVE):
        return 0
    if axis in IDS:
        return 3
    return 1 if frame[axis].dtype.name != "category" else 2
