"""Names of groups along x."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from layerscope.plotting.drawing.axes import SLANT, SMALL_CHARACTER, TICK
from layerscope.plotting.drawing.selection import tick_places
from layerscope.plotting.drawing.sheet import LEFT, Sheet
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.places import clipped

LONGEST = 30


def name_categories(sheet: Sheet, axes: Axes, names: Sequence[str]) -> None:
    """Name the places 0, 1, …, slanted where they do not fit side by side, thinned where there are many."""
    width = sheet.panel[0]
    places = tick_places(len(names), max(int(width / TICK), 2))
    texts = [clipped(names[place], LONGEST) for place in places]
    axes.set_xticks(places, [literal(text) for text in texts])
    axes.set_xlim(-0.6, len(names) - 0.4)
    longest = max(map(len, texts), default=0)
    if (longest + 1.5) * SMALL_CHARACTER * len(texts) > width:
        for text in axes.get_xticklabels():
            text.set(rotation=45, ha="right", va="center", rotation_mode="anchor")
        sheet.name_depths[axes] = longest * SMALL_CHARACTER * SLANT
        first = 0.6 / (len(names) + 0.2) * width  # from the left end of the axis to the end of the first name
        reach = (len(texts[0]) + 1) * SMALL_CHARACTER * SLANT - first
        sheet.left = max(sheet.left, reach - LEFT)
