"""The tables of many runs as compact columns: series of values over run, epoch and layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from layerscope.plotting.drawing.selection import spread
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH, PLACE, RESULT

if TYPE_CHECKING:
    from pandas import DataFrame

Integers = NDArray[np.int32]
Layer = tuple[int, str]
"""Index and name: what is about the whole network stands at the index of its logits."""

STATUSES = ("ok", "degenerate", "undefined", "infinite", "missing")
"""How a value can stand, by its code; what a measure skipped is missing."""

MOST_EPOCHS = 10
"""Epochs of a run that a report shows at most."""

MOST_QUALIFIED = 6
"""Values of a numeric qualifier, such as the index of a singular value, that a report shows at most."""


class Series(NamedTuple):
    """One number per layer: the split, what else tells it apart, its unit, and its ceiling if it has one."""

    split: str
    qualifiers: Mapping[str, object]
    unit: str
    ceiling: float | None = None


@dataclass(frozen=True)
class Measured:
    """The rows of one measure; all columns are of one length.

    Parameters
    ----------
    measure : str
    series : list of Series
    layers : list of Layer
        All that any run has.
    run, epoch, layer, place : array of int
        Number of the run, epoch, and the places of the row's layer in ``layers`` and series in ``series``.
    values : array of float64
    status : array of uint8
        Codes of :data:`STATUSES`.
    thinned : mapping
        Qualifier → (values shown, values there are).
    """

    measure: str
    series: Sequence[Series]
    layers: Sequence[Layer]
    run: Integers
    epoch: Integers
    layer: Integers
    place: Integers
    values: NDArray[np.float64]
    status: NDArray[np.uint8]
    thinned: Mapping[str, tuple[int, int]]

    def of_epochs(self, shown: Mapping[int, Sequence[int]]) -> Measured:
        """Only the rows of these epochs: number of a run → epochs."""
        wanted = [joined(np.full(len(epochs), run), np.array(epochs)) for run, epochs in shown.items()]
        kept = np.isin(joined(self.run, self.epoch), np.concatenate(wanted))
        return replace(self, **{name: getattr(self, name)[kept] for name in _COLUMNS})


_COLUMNS = ("run", "epoch", "layer", "place", "values", "status")


def measured(measure: str, table: DataFrame, axes: Sequence[str], numbers: Integers) -> Measured:
    """The compact rows of a table of the catalogue, without those that a measure skipped.

    Parameters
    ----------
    axes
        The columns of the runs themselves.
    numbers
        What to call the runs, in the order of the catalogue.
    """
    table = table[(table["status"] != "skipped").to_numpy()]
    qualifiers = _telling([str(name) for name in table if name not in (RUN, *axes, *PLACE, *RESULT)], table)
    table, thinned = _thinned(table, qualifiers)
    series, place = _series(table, qualifiers)
    layers, layer = _layers(table)
    return Measured(
        measure,
        series,
        layers,
        run=numbers[table[RUN].cat.codes.to_numpy()],
        epoch=table[EPOCH].to_numpy(np.int32),
        layer=layer,
        place=place,
        values=table["value"].to_numpy(np.float64),
        status=_status_codes(table),
        thinned=thinned,
    )


def epochs_of(tables: Sequence[Measured], most: int = MOST_EPOCHS) -> dict[int, tuple[int, ...]]:
    """Number of a run → its measured epochs: at most ``most``, the first and the last among them."""
    found: dict[int, set[int]] = {}
    for run, epoch in _pairs(tables, "epoch"):
        found.setdefault(run, set()).add(epoch)
    return {run: spread(sorted(epochs), most) for run, epochs in sorted(found.items())}


def layers_of(tables: Sequence[Measured]) -> dict[int, tuple[Layer, ...]]:
    """Number of a run → its layers, in execution order."""
    found: dict[int, set[Layer]] = {}
    for table in tables:
        for run, layer in _pairs([table], "layer"):
            found.setdefault(run, set()).add(table.layers[layer])
    return {run: tuple(sorted(layers)) for run, layers in sorted(found.items())}


def joined(high: NDArray[Any], low: NDArray[Any]) -> NDArray[np.int64]:
    """Two columns of numbers as one."""
    return (high.astype(np.int64) << 32) | low.astype(np.int64)


def _pairs(tables: Sequence[Measured], column: str) -> list[tuple[int, int]]:
    """What stands together in a row: number of a run, and a number of a column."""
    keys = [np.unique(joined(table.run, getattr(table, column))) for table in tables]
    return [(key >> 32, key & 0xFFFFFFFF) for some in keys for key in some.tolist()]


def _telling(qualifiers: Sequence[str], table: DataFrame) -> list[str]:
    """The qualifiers without numbers that follow from the others, such as the samples of a class."""
    some = table[(table[EPOCH] == table[EPOCH].max()).to_numpy()]
    kept = list(qualifiers)
    for name in reversed(qualifiers):
        others = [RUN, "split", "layer_index", "layer_name", *(one for one in kept if one != name)]
        if _is_number(table, name) and not some.duplicated(others).any():
            kept.remove(name)
    return kept


def _thinned(table: DataFrame, qualifiers: Sequence[str]) -> tuple[DataFrame, dict[str, tuple[int, int]]]:
    """Few values of every numeric qualifier, and how many there are of those of which some are left out."""
    left_out: dict[str, tuple[int, int]] = {}
    for name in (name for name in qualifiers if _is_number(table, name)):
        there = sorted(table[name].dropna().unique())
        if len(there) > MOST_QUALIFIED:
            shown = [there[place] for place in spread(range(len(there)), MOST_QUALIFIED)]
            table = table[(table[name].isin(shown) | table[name].isna()).to_numpy(bool)]
            left_out[name] = (len(shown), len(there))
    return table, left_out


def _is_number(table: DataFrame, name: str) -> bool:
    return table[name].dtype.name != "category"


def _series(table: DataFrame, qualifiers: Sequence[str]) -> tuple[list[Series], Integers]:
    """The series of a table in the order of their names, and the place of each row's."""
    names = ["split", *qualifiers, "unit"]
    groups = table.groupby(names, observed=True, dropna=False, sort=True)
    place = groups.ngroup()
    ends = groups["ceiling"].agg(["min", "max"]).to_numpy(np.float64)
    ceilings = [low if low == high and np.isfinite(low) else None for low, high in ends.tolist()]
    firsts = table[names][~place.duplicated().to_numpy()].assign(place=place).sort_values("place")
    rows = firsts.drop(columns="place").to_dict("records")
    series = [_named(row, ceiling) for row, ceiling in zip(rows, ceilings, strict=True)]
    return series, place.to_numpy(np.int32)


def _named(row: Mapping[Any, Any], ceiling: float | None) -> Series:
    import pandas as pd

    said = {str(name): _plain(value) for name, value in row.items() if not pd.isna(value)}
    split, unit = said.pop("split"), said.pop("unit", "")
    return Series(str(split), said, str(unit), ceiling)


def _plain(value: Any) -> object:
    return value.item() if isinstance(value, np.generic) else value


def _layers(table: DataFrame) -> tuple[list[Layer], Integers]:
    """All layers of a table, and the place of each row's."""
    names = table["layer_name"].cat
    keys, place = np.unique(
        joined(table["layer_index"].to_numpy(), names.codes.to_numpy()), return_inverse=True
    )
    layers = [(key >> 32, str(names.categories[key & 0xFFFFFFFF])) for key in keys.tolist()]
    return layers, place.astype(np.int32)


def _status_codes(table: DataFrame) -> NDArray[np.uint8]:
    statuses = table["status"].cat
    known = [STATUSES.index(word) if word in STATUSES else 0 for word in map(str, statuses.categories)]
    found = np.array(known, dtype=np.uint8)[statuses.codes.to_numpy()]
    values = table["value"].to_numpy(np.float64)
    found[np.isnan(values)] = STATUSES.index("undefined")
    found[np.isinf(values)] = STATUSES.index("infinite")
    return found
