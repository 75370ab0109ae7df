"""A figure to files: the same figure is always the same bytes."""

from __future__ import annotations

import io
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from layerscope.files import write_atomic
from layerscope.plotting.drawing.panel import panel_class
from layerscope.plotting.drawing.png import png
from layerscope.plotting.drawing.style import house_style, styled

# No date: drawing the same tables again must not look like a change.
PDF_METADATA: dict[str, Any] = {"CreationDate": None, "Creator": "layerscope", "Producer": "matplotlib"}


@styled
def rehearse() -> None:
    """Draw to nowhere, so that fonts and formulas are there, which libraries prepare when first used."""
    figure = Figure()
    axes = figure.add_subplot(axes_class=panel_class())
    axes.set_yscale("log")
    axes.plot([1, 2], [1, 100], marker="o", label=string.printable.strip().replace("$", ""))
    axes.set_xlabel(r"$tr\,(\Sigma_W \Sigma_B^{+})\,/\,K$, $\|\mu_B\|$")
    render(figure, "png")


def save(figure: Figure, paths: Sequence[Path]) -> None:
    """Write the figure to each path, in the format of its suffix, in one step per file."""
    for path in paths:
        write_atomic(path, render(figure, path.suffix.lstrip(".")))


def render(figure: Figure, file_format: str) -> bytes:
    """The figure as the content of a file, ``pdf`` or ``png``."""
    buffer = io.BytesIO()
    with house_style():
        if file_format == "png":
            return _png(figure, int(mpl.rcParams["savefig.dpi"]))
        figure.savefig(buffer, format=file_format, metadata=PDF_METADATA)
    return buffer.getvalue()


def _png(figure: Figure, dpi: int) -> bytes:
    """Without the transparency that no figure has: what is not written need not be compressed, either."""
    before, figure.dpi = figure.dpi, dpi
    canvas: Any = FigureCanvasAgg(figure)  # whose methods have no types
    try:
        canvas.draw()
    finally:
        figure.dpi = before
    return png(np.asarray(canvas.buffer_rgba()), dpi)
