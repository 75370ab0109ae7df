"""Panels for every setting in which runs differ beside what a figure compares.

Runs of different settings are never pooled as if they were repetitions of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.axes import Axes

from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.matrix.places import telling_axes
from layerscope.plotting.matrix.roles import panels_of, sheet_of

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_SETTINGS = 12


class Setting(NamedTuple):
    """The runs of one setting, and the panels they are drawn on."""

    name: str
    rows: DataFrame
    axes: Sequence[Axes]


def settings_sheet(
    title: str, frame: DataFrame, compared: Sequence[str], panels: int = 2
) -> tuple[Sheet, list[Setting]]:
    """A sheet with so many panels side by side for each setting, under its name.

    Parameters
    ----------
    frame
        With a row per run at least, and the axes.
    compared
        What is compared within a panel (columns of the frame): along x, and by colours.
    """
    found, total = panels_of(frame, telling_axes(frame, compared), MOST_SETTINGS)
    each = [(name, rows) for name, rows in found for _ in range(panels)]
    sheet = sheet_of(title, each, len(each), columns=_columns(len(found), panels))
    if total > len(found):
        sheet.notes.add(f"{len(found)} of {total} combinations are shown")
    return sheet, [
        Setting(name, rows, sheet.axes[place * panels : (place + 1) * panels])
        for place, (name, rows) in enumerate(found)
    ]


def _columns(settings: int, panels: int) -> int:
    """Two settings side by side where they are many."""
    return panels if settings < 4 else 2 * panels
