"""A scale of colours beside the panels of a sheet."""

from __future__ import annotations

from matplotlib.cm import ScalarMappable
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from layerscope.plotting.drawing.sheet import Sheet

WIDTH, GAP, LABELS = 0.09, 0.14, 0.62


def add_colour_bar(sheet: Sheet, mapped: ScalarMappable, label: str, *, log: bool = False) -> None:
    """Put a scale at the right of the last panel of the first row, as high as that panel."""
    last = sheet.axes[min(sheet.columns, len(sheet.axes)) - 1]
    across = sheet.panel[0]
    bar = last.inset_axes((1 + GAP / across, 0.0, WIDTH / across, 1.0))
    sheet.figure.colorbar(mapped, cax=bar, label=label)
    if log:
        low, high = bar.get_ylim()
        if high <= 30 * low:
            bar.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if high > 3 * low else MaxNLocator(4))
            bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        bar.yaxis.set_minor_locator(NullLocator())
    bar.tick_params(labelsize=6, length=2)
    bar.grid(visible=False)
    sheet.right += GAP + WIDTH + LABELS
