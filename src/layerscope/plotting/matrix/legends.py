"""Legends of groups of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from matplotlib.lines import Line2D

from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.places import axis_name, plain_text

MOST_ENTRIES = 16


def add_colours(sheet: Sheet, axis: str | None, colours: Mapping[Any, str]) -> None:
    """Say which colour is which value of ``axis``; of many values a spread is named."""
    if axis is None or len(colours) < 1:
        return
    shown = [list(colours)[place] for place in spread(range(len(colours)), MOST_ENTRIES)]
    names = [literal(plain_text(value)) for value in shown]
    lines = [Line2D([], [], color=colours[value], marker="o") for value in shown]
    if len(shown) < len(colours):
        sheet.notes.add(f"{len(shown)} of {len(colours)} colours are named")
    add_entries(sheet, literal(axis_name(axis)), zip(lines, names, strict=True))


def add_entries(sheet: Sheet, title: str, entries: Iterable[tuple[Line2D, str]]) -> None:
    """Add a group of entries."""
    sheet.legends.append(Legend(title, list(entries)))
