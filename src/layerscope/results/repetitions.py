"""Mean, standard deviation and number over repetitions of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from layerscope.config.nearest import suggestion
from layerscope.errors import UsageError
from layerscope.results.known_runs import RUN, KnownRuns

if TYPE_CHECKING:
    from pandas import DataFrame, Series

REPETITION = ("Run.run", "Run.seed")
"""Axes along which nothing differs but chance; every run has a place on them, in a matrix or not."""

_STATISTICS = {"mean": "mean", "std": "std", "n": "count"}
_CELL = "cell"


def over_repetitions(
    runs: KnownRuns, frame: DataFrame, over: str | Sequence[str], keys: Sequence[str], values: Sequence[str]
) -> DataFrame:
    """One row for all rows of runs that agree on every axis but ``over``, and in ``keys`` themselves.

    Each of ``values`` becomes ``<name>_mean``, ``<name>_std`` (of the sample, divided by n - 1; missing when
    n is 1) and ``<name>_n``. Missing values are left out of all three.

    Raises
    ------
    UsageError
        There is no such axis, or two runs stand in the same place on all of them.
    """
    kept = _axes_without(runs, [over] if isinstance(over, str) else over)
    numbers = frame[RUN].cat.codes
    _refuse_twins(runs, numbers)
    cells = _cells(runs, kept)
    numbered = frame.assign(**{_CELL: cells[numbers].to_numpy()})
    groups = numbered.groupby([_CELL, *keys], sort=False, dropna=False, observed=True)
    summary = groups[list(values)].agg(list(_STATISTICS.values()))
    summary.columns = [f"{name}_{statistic}" for name in values for statistic in _STATISTICS]
    return _with_axes(runs, kept, cells, summary.reset_index())


def _axes_without(runs: KnownRuns, over: Sequence[str]) -> list[str]:
    for name in over:
        if name not in (*runs.axes, *REPETITION):
            raise UsageError(f"the runs have no axis {name!r}; {suggestion(name, runs.axes or REPETITION)}")
    return [name for name in runs.axes if name not in over]


def _refuse_twins(runs: KnownRuns, numbers: Series[Any]) -> None:
    """Two runs of the very same settings are one result, not two."""
    places = runs.frame.loc[sorted(numbers.unique())]
    twins = places[places.duplicated(runs.axes, keep=False) if runs.axes else [len(places) > 1] * len(places)]
    if len(twins):
        one, other = twins[RUN].iloc[0], twins[RUN].iloc[1]
        raise UsageError(
            f"{one} and {other} below {runs.base} differ in no setting, so they are no repetitions; "
            "open the catalogue of a folder that holds only one of them"
        )


def _cells(runs: KnownRuns, kept: Sequence[str]) -> Series[Any]:
    """A number for each run, the same for runs that agree on the axes ``kept``."""
    if not kept:
        return runs.frame[RUN].cat.codes * 0
    return runs.frame.groupby(list(kept), sort=False, dropna=False, observed=True).ngroup()


def _with_axes(runs: KnownRuns, kept: Sequence[str], cells: Series[Any], summary: DataFrame) -> DataFrame:
    import pandas as pd

    first = cells.drop_duplicates().reset_index().set_index(0)["index"]
    axes = runs.frame[list(kept)].take(first[summary[_CELL]].to_numpy()).reset_index(drop=True)
    return pd.concat([axes, summary.drop(columns=_CELL)], axis=1)
