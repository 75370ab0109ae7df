"""Entries of legends in one line, centred: each a short line and a text.

To matplotlib's legend these are boxes in boxes, laid out anew at every level, which takes as long as a panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox, IdentityTransform

HANDLE, GAP, BETWEEN = 1.5, 0.4, 0.9
"""Lengths in font sizes: of a line, between it and its text, between entries."""

MIDDLE = 0.35
"""Font sizes from the base line to the middle of a letter, where lines are."""


class Strip(Artist):
    """One line of entries.

    Parameters
    ----------
    entries
        A line for each text; None leaves its place free.
    top
        Where the strip begins, as a share of the figure's height.
    """

    zorder = 5  # that of a legend

    def __init__(self, figure: Figure, entries: Sequence[tuple[Line2D | None, str]], top: float) -> None:
        super().__init__()
        self._top = top
        self._texts = [Text(text=text, fontsize=mpl.rcParams["legend.fontsize"]) for _, text in entries]
        self._lines = [line for line, _ in entries]
        self._page = figure
        self.set_figure(figure)
        for artist in self.get_children():
            artist.set_figure(figure)
            artist.set_transform(IdentityTransform())

    def get_texts(self) -> list[Text]:
        """The texts, from left to right."""
        return self._texts

    def get_children(self) -> list[Artist]:
        """Lines and texts."""
        return [*(line for line in self._lines if line is not None), *self._texts]

    def get_window_extent(self, renderer: RendererBase | None = None) -> Bbox:
        """The box around the texts and their lines, in pixels."""
        canvas: Any = self._page.canvas  # not all have a renderer
        begin = self._place(renderer or canvas.get_renderer())
        boxes = [text.get_window_extent(renderer) for text in self._texts]
        return Bbox.union([*boxes, Bbox.from_extents(begin, boxes[0].y0, begin, boxes[0].y1)])

    def draw(self, renderer: RendererBase) -> None:
        """Place everything side by side, and draw it."""
        if self.get_visible():
            self._place(renderer)
            for artist in self.get_children():
                artist.draw(renderer)
        self.stale = False

    def _place(self, renderer: RendererBase) -> float:
        """Give lines and texts their places; where the first begins."""
        first = self._texts[0]
        pixels: Any = renderer.points_to_pixels(first.get_fontsize())  # typed as whatever an array may hold
        size = float(pixels)
        who: Literal["TeX"] | bool = "TeX" if first.get_usetex() else False
        _, height, depth = renderer.get_text_width_height_descent("lp", first.get_fontproperties(), who)
        page = self._page.bbox
        base = page.y0 + self._top * page.height - (height - depth)
        widths = [text.get_window_extent(renderer).width for text in self._texts]
        whole = sum(widths) + size * ((HANDLE + GAP) * len(widths) + BETWEEN * (len(widths) - 1))
        begin = x = page.x0 + (page.width - whole) / 2
        for line, text, width in zip(self._lines, self._texts, widths, strict=True):
            if line is not None:
                middle = base + MIDDLE * size
                line.set_data([x, x + HANDLE * size / 2, x + HANDLE * size], [middle] * 3)
                line.set_markevery([1])
            x += (HANDLE + GAP) * size
            text.set_position((x, base))
            x += width + BETWEEN * size
        return begin
