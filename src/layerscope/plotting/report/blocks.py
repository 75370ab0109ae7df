"""The values of a measure as a block that the browser finds its way in without an index."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.report.codes import encode, scale_of
from layerscope.plotting.report.measured import (
    MOST_EPOCHS,
    STATUSES,
    Layer,
    Measured,
    epochs_of,
    joined,
    layers_of,
)

MOST_VALUES = 8_000_000
"""Values in a report; beyond that, fewer epochs are shown. At two bytes each they are 21 MB of text."""

FEWEST_EPOCHS = 2


@dataclass(frozen=True)
class Grid:
    """What is shown of each run: a series has a value for every run, epoch and layer, in this order.

    Parameters
    ----------
    runs : int
    epochs : mapping
        Number of a run → the epochs shown; runs without tables have none.
    layers : mapping
        Number of a run → its layers.
    """

    runs: int
    epochs: Mapping[int, Sequence[int]]
    layers: Mapping[int, Sequence[Layer]]

    @classmethod
    def of(cls, tables: Sequence[Measured], runs: int) -> Grid:
        """The grid of these tables, with as many epochs as :data:`MOST_VALUES` allows."""
        return cls(runs, shown_epochs(tables), layers_of(tables))

    @cached_property
    def heights(self) -> NDArray[np.int64]:
        """The number of layers of each run."""
        return np.array([len(self.layers.get(run, ())) for run in range(self.runs)], dtype=np.int64)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where the values of each run begin, and where they all end."""
        counts = np.array([len(self.epochs.get(run, ())) for run in range(self.runs)], dtype=np.int64)
        return np.concatenate([[0], np.cumsum(counts * self.heights)])

    def places(self, table: Measured) -> NDArray[np.int64]:
        """The place of each row's value within its series."""
        epoch = _places(table.run, table.epoch, range(int(table.epoch.max(initial=0)) + 1), self.epochs)
        layer = _places(table.run, table.layer, table.layers, self.layers)
        return self.offsets[table.run] + epoch * self.heights[table.run] + layer


def shown_epochs(tables: Sequence[Measured]) -> dict[int, tuple[int, ...]]:
    """The epochs shown of each run, as many as :data:`MOST_VALUES` allows."""
    measured = epochs_of(tables, sys.maxsize)
    per_epoch = sum(len(table.values) for table in tables) / max(sum(map(len, measured.values())), 1)
    most = MOST_EPOCHS
    while most > FEWEST_EPOCHS and _count(measured, most) * per_epoch > MOST_VALUES:
        most -= 1
    return {run: spread(epochs, most) for run, epochs in measured.items()}


def _count(measured: Mapping[int, Sequence[int]], most: int) -> int:
    """Epochs of all runs, of each at most so many."""
    return sum(min(len(epochs), most) for epochs in measured.values())


def block(table: Measured, grid: Grid) -> tuple[bytes, list[dict[str, object]]]:
    """The values of all series, then their statuses; and what the browser has to know of each series.

    Values are little-endian codes of 16 bits (see :mod:`codes`), statuses a byte each.
    """
    places = grid.places(table)
    codes = np.zeros((len(table.series), int(grid.offsets[-1])), dtype="<i2")
    status = np.full(codes.shape, STATUSES.index("missing"), dtype=np.uint8)
    notes: list[dict[str, object]] = []
    for number, (series, rows) in enumerate(zip(table.series, _rows_of(table), strict=True)):
        scale = scale_of(table.values[rows])
        codes[number, places[rows]] = encode(table.values[rows], scale)
        status[number, places[rows]] = table.status[rows]
        notes.append({**series._asdict(), **scale._asdict(), "digits": scale.digits})
    return codes.tobytes() + status.tobytes(), notes


def _rows_of(table: Measured) -> list[NDArray[np.int64]]:
    """The rows of each series."""
    order = np.argsort(table.place, kind="stable")
    begins = np.searchsorted(table.place[order], np.arange(1, len(table.series)))
    return np.split(order, begins)


def _places(
    runs: NDArray[np.int32],
    things: NDArray[np.int32],
    names: Sequence[Hashable],
    there: Mapping[int, Sequence[Hashable]],
) -> NDArray[np.int64]:
    """Where the thing of each row stands among those that are there of its run."""
    ranks = {run: {thing: place for place, thing in enumerate(some)} for run, some in there.items()}
    keys, back = np.unique(joined(runs, things), return_inverse=True)
    found = [ranks[key >> 32][names[key & 0xFFFFFFFF]] for key in keys.tolist()]
    return np.array(found, dtype=np.int64)[back]
