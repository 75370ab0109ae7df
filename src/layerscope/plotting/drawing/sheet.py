"""One figure: panels of a fixed size in inches, with a title and a legend strip above them.

Panels keep their size whatever the labels need, so figures line up in a paper, and nothing is laid out
by trial drawing, which would take longer than the drawing itself.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.plotting.drawing.degenerate import degenerate_note
from layerscope.plotting.drawing.minor_ticks import draw_minor_ticks
from layerscope.plotting.drawing.options import chosen
from layerscope.plotting.drawing.panel import panel_class
from layerscope.plotting.drawing.strip import Strip
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, LineStyle
from layerscope.plotting.drawing.text import literal

CHARACTER = 0.058
"""Width in inches that one character takes at 7 points."""

LEFT, RIGHT, BETWEEN = 0.62, 0.16, 0.7
TITLE_LINE, STRIP_LINE, NOTE_LINE = 0.16, 0.17, 0.16
PANEL_TOP = 0.17  # room for the name of the NC layer
X_LABEL = 0.31
Y_LABEL = 0.43
NAME_DEPTH = 0.1  # of the names of ticks, when they lie flat
COLOUR_BAR = 0.5  # right of every panel that has one
LEAST_WIDTH = 2.8  # of a figure, for its title
NARROWEST = 1.2  # panel that can still be read


class Legend(NamedTuple):
    """A group of legend entries: what they tell apart, and a line with its text for each."""

    title: str
    entries: Sequence[tuple[Line2D, str]]

    @property
    def width(self) -> float:
        """Inches the group takes in the strip."""
        texts = (self.title, *(text for _, text in self.entries))
        return sum(CHARACTER * len(text) + 0.34 for text in texts)


def swatch(colour: Any) -> Line2D:
    """A square of a colour, for a legend."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker="s",
        markersize=6,
        color=colour,
        markeredgecolor="0.6",
        markeredgewidth=0.4,
    )


@dataclass
class Sheet:
    """A figure under construction; :meth:`finish` gives everything its place."""

    figure: Figure
    axes: list[Axes]
    title: str
    columns: int
    panel: tuple[float, float]
    headings: bool = False
    legends: list[Legend] = field(default_factory=list)
    notes: set[str] = field(default_factory=set)
    degenerate: Counter[str] = field(default_factory=Counter)  # values shown hollow, by reason
    name_depths: dict[Axes, float] = field(default_factory=dict)
    references: dict[str, LineStyle] = field(default_factory=dict)
    colour_bars: bool = False
    between: float = BETWEEN
    left: float = 0.0  # inches kept free beside the panels, for long names
    right: float = 0.0  # the same, for a scale of colours

    @classmethod
    def of_panels(
        cls,
        title: str,
        count: int = 1,
        columns: int = 1,
        panel: tuple[float, float] = (2.95, 2.0),
        *,
        headings: bool = False,
        colour_bars: bool = False,
        between: float = BETWEEN,
    ) -> Sheet:
        """A sheet of ``count`` empty panels, filled row by row, at most ``columns`` in one."""
        columns = min(count, columns)
        if (width := chosen().width) is not None:
            columns, panel = _fitted(width, columns, panel, between, COLOUR_BAR if colour_bars else 0.0)
        figure = Figure()
        rows = -(-count // columns)
        axes: list[Axes] = [
            figure.add_subplot(rows, columns, place + 1, axes_class=panel_class()) for place in range(count)
        ]
        return cls(figure, axes, title, columns, panel, headings, colour_bars=colour_bars, between=between)

    def finish(self) -> Figure:
        """Set the size of the figure and the place of panels, title, legends and notes."""
        rows = -(-len(self.axes) // self.columns)
        if chosen().width is not None:  # the figure keeps its width, whatever stands beside the panels
            across = self.panel[0] - (self.left + self.right) / self.columns
            self.panel = (max(across, NARROWEST / 2), self.panel[1])
        inner = self.columns * (self.panel[0] + self._bar) + (self.columns - 1) * self.between
        width = self.left + LEFT + inner + RIGHT + self.right
        width = max(width, LEAST_WIDTH)
        title = _wrapped(self.title, width)
        strips = _packed([part for legend in self._all_legends() for part in _folded(legend, width)], width)
        head = 0.06 + TITLE_LINE * len(title) + STRIP_LINE * len(strips)
        notes = _note_lines(self._all_notes(), width)
        foot = NOTE_LINE * len(notes)
        height = head + rows * (self._row_top + self.panel[1] + self._row_foot) + foot
        self.figure.set_size_inches(width, height)
        self._place_panels(width, height, head)
        self._write(title, strips, notes, height)
        for axes in self.axes:
            draw_minor_ticks(axes)
        return self.figure

    def _all_legends(self) -> list[Legend]:
        """The legends, then one of the lines to compare with."""
        lines = [
            (Line2D([], [], color=REFERENCE_COLOUR, linestyle=style, linewidth=1.0), text)
            for text, style in self.references.items()
        ]
        return [*self.legends, Legend("", lines)] if lines else self.legends

    def _all_notes(self) -> set[str]:
        """The notes, with one on all degenerate values of the sheet."""
        return {*self.notes, degenerate_note(self.degenerate)} if self.degenerate else self.notes

    @property
    def _bar(self) -> float:
        return COLOUR_BAR if self.colour_bars else 0.0

    @property
    def _row_top(self) -> float:
        return PANEL_TOP + (0.14 if self.headings else 0.0)

    @property
    def _row_foot(self) -> float:
        return max((NAME_DEPTH, *self.name_depths.values())) + X_LABEL

    def _place_panels(self, width: float, height: float, head: float) -> None:
        across, down = self.panel
        for place, axes in enumerate(self.axes):
            row, column = divmod(place, self.columns)
            left = self.left + LEFT + column * (across + self._bar + self.between)
            top = head + row * (self._row_top + down + self._row_foot) + self._row_top
            axes.set_position((left / width, 1 - (top + down) / height, across / width, down / height))
            depth = self.name_depths.get(axes, NAME_DEPTH)
            axes.xaxis.set_label_coords(0.5, -(depth + X_LABEL / 2) / down)
            axes.yaxis.set_label_coords(-Y_LABEL / across, 0.5)

    def _write(
        self, title: Sequence[str], strips: Sequence[Sequence[Legend]], notes: Sequence[str], height: float
    ) -> None:
        top = 0.06
        for line in title:
            self.figure.text(0.5, 1 - top / height, literal(line), ha="center", va="top", fontsize=7)
            top += TITLE_LINE
        for strip in strips:
            _draw_strip(self.figure, strip, 1 - top / height)
            top += STRIP_LINE
        for row, text in enumerate(reversed(notes)):
            place = (0.99, (0.03 + row * NOTE_LINE) / height)
            self.figure.text(*place, literal(text), ha="right", va="bottom", fontsize=6, color="0.3")


def _note_lines(notes: Collection[str], width: float) -> list[str]:
    """Notes side by side as long as they fit, the letters of which are smaller than those of titles."""
    most, lines = max(int(width / CHARACTER * 7 / 6), 20), list[str]()
    for note in sorted(notes):
        for part in textwrap.wrap(note, most, break_on_hyphens=False):
            beside = f"{lines[-1]}    {part}" if lines else part
            lines[-1:] = [beside] if len(beside) <= most else [*lines[-1:], part]
    return lines


def _wrapped(title: str, width: float) -> list[str]:
    """Lines of a title, broken between its parts only, if they fit."""
    most = max(int(width / CHARACTER), 20)
    parts = (
        part if len(part) > most else part.replace(" ", "\N{NO-BREAK SPACE}") for part in title.split(" · ")
    )
    lines = textwrap.wrap(" · ".join(parts), most, break_on_hyphens=False)
    return [line.removesuffix(" ·") for line in lines]


def _fitted(
    width: float, columns: int, panel: tuple[float, float], between: float, bar: float
) -> tuple[int, tuple[float, float]]:
    """As many columns as leave the panels wide enough, and their size, for a figure of this width."""

    def across(count: int) -> float:
        return (width - LEFT - RIGHT + between - count * (between + bar)) / count

    narrowest = min(NARROWEST, 0.6 * panel[0])
    fitting = [count for count in range(1, columns + 1) if across(count) >= narrowest]
    columns = max(fitting, default=1)
    wide = across(columns)
    return columns, (wide, min(panel[1], max(panel[1] * wide / panel[0], narrowest)))


def _folded(legend: Legend, width: float) -> list[Legend]:
    """The legend in parts that fit into the width; only the first has the title."""
    entries = list(legend.entries)
    fitting = len(entries)
    while fitting > 1 and Legend(legend.title, entries[:fitting]).width > width:
        fitting -= 1
    if fitting == len(entries):
        return [legend]
    return [Legend(legend.title, entries[:fitting]), *_folded(Legend("", entries[fitting:]), width)]


def _packed(legends: Sequence[Legend], width: float) -> list[list[Legend]]:
    """Groups side by side as long as they fit."""
    strips: list[list[Legend]] = []
    for legend in legends:
        if strips and sum(group.width for group in (*strips[-1], legend)) <= width:
            strips[-1].append(legend)
        else:
            strips.append([legend])
    return strips


def _draw_strip(figure: Figure, strip: Sequence[Legend], top: float) -> None:
    titled = [((None, legend.title), *legend.entries) for legend in strip]
    shown = [entry for entries in titled for entry in entries if entry[1]]
    if shown:
        legends: Any = figure.legends  # drawn with them, and found by who looks for them
        legends.append(Strip(figure, shown, top))
