"""Points of a scatter, those of degenerate values hollow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from layerscope.plotting.drawing.degenerate import reasons_of

if TYPE_CHECKING:
    from pandas import DataFrame

Colour = tuple[float, float, float, float]
EMPTY: Colour = (1.0, 1.0, 1.0, 0.0)
"""The face of a hollow point, which hides none of the others."""

EDGE = 0.8


def draw_points(
    axes: Axes, rows: DataFrame, x: str, colours: Sequence[Colour], sizes: ArrayLike, marker: str = "o"
) -> None:
    """Draw the column ``value`` of the rows against ``x``, a colour for each row, where both are finite."""
    shown = np.isfinite(rows[[x, "value"]].to_numpy(dtype=float)).all(axis=1)
    if not shown.any():
        return
    sizes = np.broadcast_to(sizes, len(rows))[shown]
    colours = [colour for colour, each in zip(colours, shown, strict=True) if each]
    rows = rows[shown]
    hollow = reasons_of(rows) != ""
    axes.scatter(
        rows[x],
        rows["value"],
        s=sizes,
        marker=marker,
        facecolors=np.where(hollow[:, None], EMPTY, colours),
        edgecolors=colours,
        linewidths=[EDGE if each else 0.0 for each in hollow],
    )
