"""Minor ticks as one line of markers: as ticks, each would be five objects of which one is seen."""

from __future__ import annotations

from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.markers import TICKDOWN, TICKLEFT
from matplotlib.ticker import NullLocator

Side = Literal["x", "y"]
SIDES: tuple[Side, ...] = ("x", "y")


def draw_minor_ticks(axes: Axes) -> None:
    """Draw the minor ticks of both axes where they lie now: the limits have to be settled."""
    for side in SIDES:
        axis = axes.xaxis if side == "x" else axes.yaxis
        places = _places(axis)
        axis.set_minor_locator(NullLocator())
        if len(places):
            axes.add_artist(_line(axes, places, side))


def _places(axis: Axis) -> np.ndarray:
    """The minor ticks within the limits, without those that are major ones."""
    if isinstance(axis.get_minor_locator(), NullLocator):
        return np.array([])
    low, high = sorted(axis.get_view_interval())
    places = np.asarray(axis.get_minorticklocs(), dtype=float)
    return places[(places >= low) & (places <= high)]


def _line(axes: Axes, places: np.ndarray, side: Side) -> Line2D:
    zeros = np.zeros(len(places))
    settings: Any = mpl.rcParams  # whose keys are typed one by one
    marker: Any = TICKDOWN if side == "x" else TICKLEFT
    along = axes.get_xaxis_transform() if side == "x" else axes.get_yaxis_transform()
    return Line2D(
        *((places, zeros) if side == "x" else (zeros, places)),
        transform=along,
        linestyle="none",
        marker=marker,
        markersize=settings[f"{side}tick.minor.size"],
        markeredgewidth=settings[f"{side}tick.minor.width"],
        color=settings[f"{side}tick.color"],
        clip_on=False,
        zorder=2.01,  # that of ticks
    )
