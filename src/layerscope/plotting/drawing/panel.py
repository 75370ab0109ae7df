"""A panel that draws the ticks of an axis together.

To matplotlib, each tick is two marks, a line of the grid and two texts, made and drawn one by one: a third
of what a small figure takes. Here the ticks of an axis share marks and lines, which are then drawn at once.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, Tick, XAxis, YAxis
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Text
from numpy.typing import NDArray

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

INNER = (  # what matplotlib (tried: 3.8 to 3.11) does not promise to keep
    "_get_tick",
    "_get_ticklabel_bboxes",
    "_update_label_position",
    "_update_offset_text_position",
    "_update_ticks",
)


class _TogetherAxis(Axis):
    """What the axes along x and y have in common; each tick has texts of its own, and nothing else."""

    majorTicks: Any
    minorTicks: Any

    def get_major_ticks(self, numticks: int | None = None) -> list[Tick]:
        """As of matplotlib."""
        return _filled(self.majorTicks, len(self.get_majorticklocs()) if numticks is None else numticks)

    def get_minor_ticks(self, numticks: int | None = None) -> list[Tick]:
        """As of matplotlib."""
        return _filled(self.minorTicks, len(self.get_minorticklocs()) if numticks is None else numticks)

    def set_clip_path(self, path: Any, transform: Any = None) -> None:
        """As of matplotlib, which makes ticks only to tell them; here they are told when there are any."""
        Artist.set_clip_path(self, path, transform)
        for name in ("majorTicks", "minorTicks"):
            for tick in vars(self).get(name, ()):
                tick.set_clip_path(path, transform)

    def _get_tick(self, major: bool) -> Tick:
        usual: Any = Axis
        tick: Tick = usual._get_tick(self, major)
        tick.gridline.set_clip_box(self.get_clip_box())
        tick.gridline.set_clip_path(self.get_clip_path())
        return tick

    def draw(self, renderer: RendererBase) -> None:
        """Draw the grid and all marks, then the texts."""
        if not self.get_visible():
            return
        own: Any = self  # for what matplotlib has no types
        ticks: list[Tick] = own._update_ticks()
        for alike in _groups(ticks):
            self._draw_lines(alike, renderer)
        for tick in ticks:
            tick.label1.draw(renderer)
            tick.label2.draw(renderer)
        own._update_label_position(renderer)
        self.label.draw(renderer)
        self._draw_offset(ticks, renderer)
        self.stale = False

    def _draw_lines(self, ticks: list[Tick], renderer: RendererBase) -> None:
        places = np.array([tick.get_loc() for tick in ticks], dtype=float)
        ends = np.tile([0.0, 1.0, np.nan], len(places))
        lines = (
            (ticks[0].gridline, np.repeat(places, 3), ends),
            (ticks[0].tick1line, places, np.zeros(len(places))),
            (ticks[0].tick2line, places, np.ones(len(places))),
        )
        for line, along, across in lines:
            if line.get_visible():
                line.set_data(*self._ordered(along, across))
                line.draw(renderer)

    def _draw_offset(self, ticks: list[Tick], renderer: RendererBase) -> None:
        """What is to be added to all numbers, or multiplied with."""
        own: Any = self
        text = own.major.formatter.get_offset()
        self.offsetText.set_text(text)
        if text:
            own._update_offset_text_position(*own._get_ticklabel_bboxes(ticks, renderer))
            self.offsetText.draw(renderer)

    def _ordered(self, along: NDArray[np.float64], across: NDArray[np.float64]) -> Pair:
        """x and y of places along and across this axis."""
        raise NotImplementedError


class _TogetherXAxis(_TogetherAxis, XAxis):
    def _ordered(self, along: NDArray[np.float64], across: NDArray[np.float64]) -> Pair:
        return along, across


class _TogetherYAxis(_TogetherAxis, YAxis):
    def _ordered(self, along: NDArray[np.float64], across: NDArray[np.float64]) -> Pair:
        return across, along


class Panel(Axes):
    """Axes that are drawn as any, in less time; whatever is set about their ticks is set as ever."""

    def _init_axis(self) -> None:
        axis: Any = _TogetherXAxis(self, clear=False), _TogetherYAxis(self, clear=False)
        self.xaxis, self.yaxis = axis
        for side, of in zip(("bottom", "top", "left", "right"), (0, 0, 1, 1), strict=True):
            self.spines[side].register_axis(axis[of])


def panel_class(axis: type[Any] = Axis) -> type[Axes]:
    """What draws panels: :class:`Panel`, or any axes where matplotlib's lack what it builds upon."""
    known = hasattr(Axes, "_init_axis") and all(hasattr(axis, name) for name in INNER)
    return Panel if known else Axes


def _groups(ticks: list[Tick]) -> Collection[list[Tick]]:
    """The ticks that share their lines: major ones and minor ones."""
    groups: dict[int, list[Tick]] = {}
    for tick in ticks:
        groups.setdefault(id(tick.gridline), []).append(tick)
    return groups.values()


def _filled(ticks: list[Tick], count: int) -> list[Tick]:
    """The first ``count`` ticks, of which those that are missing share the lines of the first."""
    while len(ticks) < count:
        tick = copy.copy(ticks[0])
        tick.label1, tick.label2 = _like(tick.label1), _like(tick.label2)
        ticks.append(tick)
    return ticks[:count]


def _like(text: Text) -> Text:
    another, figure = Text(*text.get_position()), text.get_figure()
    another.update_from(text)
    if figure is not None:
        another.set_figure(figure)
    return another
