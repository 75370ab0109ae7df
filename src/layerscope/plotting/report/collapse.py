"""The layers at which runs are collapsed, at each of their epochs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from layerscope.results.known_runs import RUN
from layerscope.results.nc_layer import LayerRef, first_collapsed
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame


def collapsed_layers(cdnv: DataFrame, numbers: Sequence[int]) -> dict[int, dict[int, LayerRef | None]]:
    """Number of a run → epoch → its NC layer, None where there is none.

    Runs and epochs without CDNV on the training data are left out. ``numbers`` are what to call the runs,
    in the order of the catalogue.
    """
    rows, found = first_collapsed(cdnv, [RUN, EPOCH])
    layers: dict[int, dict[int, LayerRef | None]] = {}
    for number, epoch in _columns(rows.drop_duplicates([RUN, EPOCH]), EPOCH):
        layers.setdefault(numbers[number], {})[epoch] = None
    for number, epoch, index, name in _columns(found, EPOCH, "layer_index", "layer_name"):
        layers[numbers[number]][epoch] = LayerRef(str(name), index)
    return layers


def _columns(rows: DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    """The number of each row's run, and these cells of it."""
    numbers = rows[RUN].cat.codes.tolist()
    return zip(numbers, *(rows[name].tolist() for name in names), strict=True)
