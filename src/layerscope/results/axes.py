"""In what the runs of a folder differ: the axes of their matrix, as columns with one value per run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerscope.results.stored_config import Values

if TYPE_CHECKING:
    from pandas import Series

Axes = Mapping[str, object]

REPETITION = ("Run.run", "Run.seed")
"""Axes along which nothing differs but chance."""

_CHANGES_NOTHING = (
    *("Logging.", "Slurm.", "Measurements.measures", "Measurements.memory", "Measurements.batch-size"),
    *("Data.root", "Data.download", "Data.num-workers"),
)
"""Keys (or their beginnings) of a config that leave every number as it is."""


def axes_of(folders: Sequence[Path], configs: Callable[[], Sequence[Values]]) -> dict[str, list[object]]:
    """Axis → its value in every run.

    They are the axes of the matrix that made the runs, as noted in run.json. Runs that come from several
    matrices, or from none, are told apart by all the keys in which their configs differ.

    Parameters
    ----------
    configs
        Gives the values of every run's config; asked only if need be.
    """
    noted = [_noted(folder / "run.json") for folder in folders]
    if _tell_apart(noted):
        return {name: [axes[name] for axes in noted] for name in noted[0]}
    values = [_of_results(config) for config in configs()]
    names = [name for name in _names(values) if _differs(name, values)]
    if any("exclusive" in axes for axes in noted):
        names.insert(0, "exclusive")
    places = [{**axes, **config} for axes, config in zip(noted, values, strict=True)]
    return {name: [place.get(name) for place in places] for name in names}


def axis_column(name: str, values: Sequence[object]) -> Series[Any]:
    """One axis as a column: numbers as numbers, anything else as categories."""
    import pandas as pd

    kinds = {type(value) for value in values}
    if kinds <= {int, float, type(None)} and kinds & {int, float}:
        whole = "Int64" if None in values else "int64"
        return pd.Series(list[Any](values), name=name, dtype="float64" if float in kinds else whole)
    texts = [None if value is None else _text(value) for value in values]
    return pd.Series(pd.Categorical(texts, categories=_names([dict.fromkeys(texts)])), name=name)


def _noted(path: Path) -> Axes:
    try:
        axes = json.loads(path.read_bytes())["axes"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return axes if isinstance(axes, dict) else {}


def _tell_apart(noted: Sequence[Axes]) -> bool:
    """Whether all runs stand on the same axes, each in a place of its own."""
    alike = len({tuple(axes) for axes in noted}) == 1
    return alike and len({json.dumps(axes) for axes in noted}) == len(noted)


def _of_results(config: Values) -> dict[str, object]:
    return {key: value for key, value in config.items() if not key.startswith(_CHANGES_NOTHING)}


def _names(mappings: Sequence[Mapping[Any, object]]) -> list[Any]:
    """Their keys, each once, without None."""
    return [key for key in dict.fromkeys(key for mapping in mappings for key in mapping) if key is not None]


def _differs(name: str, values: Sequence[Values]) -> bool:
    first = values[0].get(name)
    return any(value.get(name) != first for value in values)


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(str, value))}]"
    return str(value)
