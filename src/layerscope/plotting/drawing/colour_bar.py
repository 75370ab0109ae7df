"""Scales of colours beside panels."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.text import decade

PALETTE = "cividis"
GAP, WIDTH, LABELS = 0.06, 0.08, 0.62  # inches


def draw_colour_bar(sheet: Sheet, axes: Axes, norm: Normalize, label: str = "") -> None:
    """Draw a scale at the right of a panel, as high as that."""
    across = sheet.panel[0]
    bar = axes.inset_axes((1 + GAP / across, 0.0, WIDTH / across, 1.0))
    colours = sheet.figure.colorbar(ScalarMappable(norm, PALETTE), cax=bar, label=label)
    colours.outline.set_visible(False)
    low, high = bar.get_ylim()
    log = isinstance(norm, LogNorm)
    if not log or high < 30 * low:
        bar.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)) if log and high > 3 * low else MaxNLocator(4))
        bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    else:
        bar.yaxis.set_major_locator(LogLocator(numticks=5))
        bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: decade(value)))
    bar.yaxis.set_minor_locator(NullLocator())
    bar.yaxis.set_minor_formatter(NullFormatter())
    bar.tick_params(labelsize=6, length=2)
    bar.grid(visible=False)


def add_common_bar(sheet: Sheet, norm: Normalize, label: str) -> None:
    """Put a scale for all panels at the right of the first row."""
    draw_colour_bar(sheet, sheet.axes[min(sheet.columns, len(sheet.axes)) - 1], norm, label)
    sheet.right += GAP + WIDTH + LABELS
