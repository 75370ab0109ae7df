"""A page that says why there is no figure."""

from __future__ import annotations

import textwrap

from matplotlib.figure import Figure

from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.drawing.text import literal


@styled
def message(title: str, text: str) -> Figure:
    """A panel without axes that holds only ``text``."""
    sheet = Sheet.of_panels(title)
    axes = sheet.axes[0]
    axes.set_axis_off()
    lines = "\n".join(textwrap.wrap(text, 48))
    axes.text(0.5, 0.5, literal(lines), transform=axes.transAxes, ha="center", va="center", color="0.3")
    return sheet.finish()
