"""Where runs stand on the axes of their matrix: which axes tell them apart, and their values in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from layerscope.config.names import SECTIONS
from layerscope.config.nearest import suggestion
from layerscope.errors import UsageError
from layerscope.results.axes import REPETITION
from layerscope.results.known_runs import RUN

if TYPE_CHECKING:
    from pandas import DataFrame, Series

EXCLUSIVE = "exclusive"
IDS = {"Model.model-name": "model", "Data.dataset-id": "data"}
LONGEST_TEXT = 30


def axes_in(frame: DataFrame) -> list[str]:
    """The columns that are axes: ``Section.key``, ``exclusive`` and its parts."""
    return [name for name in map(str, frame.columns) if _is_axis(name)]


def telling_axes(frame: DataFrame, known: Sequence[str] = ()) -> list[str]:
    """The fewest axes, repetitions aside, that tell the settings of all runs apart.

    Where some columns are ``known``, the fewest that tell apart what these leave open.

    What has one value only, or follows from the others (the taps that go with a model), is left out;
    models and data sets are kept in preference to names of submatrices, and those to anything else.
    """
    names = [name for name in axes_in(frame) if name not in (*REPETITION, *known)]
    places = (frame.drop_duplicates(RUN) if RUN in frame else frame)[[*known, *names]].drop_duplicates()
    kept = list(known)
    for name in sorted(names, key=_preference):
        if not _follows(places, kept, name):
            kept.append(name)
    return [name for name in names if name in kept]


def check_axes(frame: DataFrame, names: Sequence[str]) -> None:
    """Refuse an axis that the frame does not have.

    Raises
    ------
    UsageError
        With the nearest axis that there is.
    """
    for name in names:
        if name not in frame:
            raise UsageError(f"the runs have no axis {name!r}; {suggestion(name, axes_in(frame))}")


def values_of(column: Series[Any]) -> list[Any]:
    """The values on an axis, each once: numbers by size, words in their order, None last."""
    found = list(column.unique())
    there = [value for value in found if not _is_missing(value)]
    if column.dtype.name == "category":
        order = {value: place for place, value in enumerate(column.cat.categories)}
        there.sort(key=order.__getitem__)
    elif all(isinstance(value, (int, float)) or hasattr(value, "dtype") for value in there):
        there.sort()
    return [*there, None] if len(there) < len(found) else there


def axis_name(axis: str) -> str:
    """What an axis is called in a figure."""
    if axis.startswith(EXCLUSIVE):
        return "condition"
    return IDS.get(axis, axis.rpartition(".")[2])


def plain_text(value: object) -> str:
    """A value without its axis."""
    if _is_missing(value):
        return "not set"
    return clipped(f"{value:.4g}" if isinstance(value, float) else str(value))


def value_text(axis: str, value: object) -> str:
    """A value that says which axis it is on, where that is not plain from the value."""
    text = plain_text(value)
    plain = axis in IDS or axis.startswith(EXCLUSIVE)
    return text if plain else f"{axis_name(axis)} {text}"


def clipped(text: str, longest: int = LONGEST_TEXT) -> str:
    """``text`` with its middle left out where it is too long."""
    if len(text) <= longest:
        return text
    head = (longest - 1) // 2
    return f"{text[:head]}…{text[head + 1 - longest :]}"


def having(frame: DataFrame, axis: str, value: object) -> DataFrame:
    """The rows with this value on an axis; None is a missing one."""
    return frame[frame[axis].isna() if value is None else frame[axis] == value]


def cells(frame: DataFrame, axes: Sequence[str]) -> Iterator[tuple[str, DataFrame]]:
    """The rows of each combination of values that occurs, and its name."""
    if not axes:
        yield "", frame
        return
    for value in values_of(frame[axes[0]]):
        own = value_text(axes[0], value)
        for name, rows in cells(having(frame, axes[0], value), axes[1:]):
            yield f"{own} · {name}" if name else own, rows


def with_parts(runs: DataFrame) -> DataFrame:
    """The frame with ``exclusive`` divided where submatrices are nested alike: ``supervised/ResNet``."""
    if EXCLUSIVE not in runs:
        return runs
    parts = runs[EXCLUSIVE].astype(str).str.split("/", expand=True)
    if parts.shape[1] < 2 or parts.isna().any(axis=None):
        return runs
    place = list(runs.columns).index(EXCLUSIVE)
    result = runs.drop(columns=EXCLUSIVE)
    for number in range(parts.shape[1]):
        result.insert(place + number, f"{EXCLUSIVE}.{number + 1}", parts[number].astype("category"))
    return result


def _is_axis(name: str) -> bool:
    section, _, key = name.partition(".")
    return section == EXCLUSIVE or (section in SECTIONS and bool(key))


def _preference(name: str) -> int:
    return 0 if name in IDS else 1 if name.startswith(EXCLUSIVE) else 2


def _follows(places: DataFrame, kept: Sequence[str], name: str) -> bool:
    if not kept:
        return places[name].nunique(dropna=False) < 2
    return len(places[[*kept, name]].drop_duplicates()) == len(places[list(kept)].drop_duplicates())


def _is_missing(value: object) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or value != value
