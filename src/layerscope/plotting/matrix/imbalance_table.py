"""Drift and accuracies of all runs of a group, as one row per run and kept epoch."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.errors import UsageError
from layerscope.plotting.matrix.places import axes_in, telling_axes, value_text
from layerscope.plotting.matrix.quantities import last_epoch, last_layer
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.quantity import Source
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame, Series

FACTOR, LABEL = "Data.imbalance.factor", "label"
NO_CLASS = -1


def _drift(statistic: str) -> Source:
    return Source("Drift", {"statistic": statistic, "split": "train", "class": NO_CLASS})


def _accuracy(group: str, rule: str) -> Source:
    return Source("GroupAccuracy", {"group": group, "rule": rule, "split": "test"})


def _rows(statistic: str) -> Source:
    wanted = {"statistic": statistic, "vectors": "weights", "rule": "thirds"}
    return Source("MinorityCollapse", wanted)


QUANTITIES: dict[str, Source] = {
    "drift": _drift("norm"),
    "relative drift": _drift("relative"),
    "gap": _drift("gap"),
    "overall": _accuracy("overall", "none"),
    "head": _accuracy("head", "thirds"),
    "mid": _accuracy("mid", "thirds"),
    "tail": _accuracy("tail", "thirds"),
    "many": _accuracy("head", "shots"),
    "medium": _accuracy("mid", "shots"),
    "few": _accuracy("tail", "shots"),
    "tail cosine": _rows("tail_cosine"),
    "norm ratio": _rows("norm_ratio"),
}
"""Column → where its numbers are. Drift is that of the train split, accuracy that of the test split."""


TABLES = tuple(dict.fromkeys(source.table for source in QUANTITIES.values()))
DERIVED = "imbalance"


def imbalance_table(base: Path | str) -> DataFrame:
    """:func:`imbalance_rows` of the runs below a folder."""
    return imbalance_rows(MatrixTables.load(Path(base), TABLES))


def imbalance_rows(tables: MatrixTables) -> DataFrame:
    """Return ``run``, ``label`` (the run without its repetition), the axes, ``epoch`` and all quantities.

    Runs that are not measured to their last epoch are left out.

    Raises
    ------
    UsageError
        There is no run with the tables of the group ``Imbalance``, or none has ended.
    """
    if DERIVED not in tables.derived:
        tables.derived[DERIVED] = _joined(tables)
    return tables.derived[DERIVED].copy()


def _joined(tables: MatrixTables) -> DataFrame:
    if lacking := sorted(set(TABLES) - set(tables.frames)):
        raise UsageError(
            f"no run below {tables.base} has a table {', '.join(lacking)}; measure the group Imbalance."
        )
    if empty := sorted(name for name in TABLES if tables.frame(name).empty):
        raise UsageError(f"the table {', '.join(empty)} of the runs below {tables.base} holds no rows")
    columns = [
        _column(tables.frame(source.table), source).rename(name) for name, source in QUANTITIES.items()
    ]
    found = columns[0].to_frame().join(columns[1:], how="outer").reset_index()
    joined = _places(tables).merge(found, on=RUN)
    joined = joined[~joined[RUN].isin(tables.unfinished)]
    if joined.empty:
        raise UsageError(f"no run below {tables.base} is measured to its last epoch")
    return joined.sort_values([RUN, EPOCH], kind="stable").reset_index(drop=True)


def drift_rows(tables: MatrixTables) -> DataFrame:
    """The table Drift at the last epoch of each run, with its ``label``.

    Raises
    ------
    UsageError
        It holds no rows.
    """
    found = _places(tables).merge(tables.frame("Drift").astype({RUN: str})[_own(tables)], on=RUN)
    if found.empty:
        raise UsageError(f"the table Drift of the runs below {tables.base} holds no rows")
    return last_epoch(found)


def hue_of(table: DataFrame) -> str:
    """What tells the runs apart: the factor of imbalance where it differs, else the label."""
    return FACTOR if FACTOR in table and table[FACTOR].nunique() > 1 else LABEL


def _own(tables: MatrixTables) -> list[str]:
    """The columns of the table Drift that are no axes."""
    drift = tables.frame("Drift")
    return [str(name) for name in drift.columns if name not in axes_in(drift)]


def _places(tables: MatrixTables) -> DataFrame:
    """Name, label and axes of each run."""
    drift = tables.frame("Drift").drop_duplicates(RUN)
    runs = drift[[RUN, *axes_in(drift)]].astype({RUN: str})
    runs.insert(1, LABEL, labels_of(runs))
    return runs


def last_epochs(table: DataFrame) -> DataFrame:
    """The rows of the last epoch of each run."""
    return table.loc[table.groupby("run", sort=False)["epoch"].idxmax()]


def labels_of(runs: DataFrame) -> list[str]:
    """The label of each run; its place on the axes where one label would mean runs of several kinds."""
    names = runs[RUN].tolist()
    if len({_kind(name) for name in names}) == len({label_of(name) for name in names}):
        return [label_of(name) for name in names]
    axes = telling_axes(runs)
    places = zip(*([value_text(axis, value) for value in runs[axis]] for axis in axes), strict=True)
    return [" · ".join(place) for place in places]


def label_of(run: str) -> str:
    """What a run is called among others: its own part of the name, without repetition and ``loss_``."""
    return _kind(run).rpartition("/")[2].removeprefix("loss_")


def _kind(run: str) -> str:
    parts = [part for part in run.split("/") if not re.fullmatch(r"run_\d+", part)]
    return "/".join(parts) or run


def _column(frame: DataFrame, source: Source) -> Series[float]:
    """The values by run and epoch."""
    chosen = frame
    for name, wanted in source.where.items():
        chosen = chosen[chosen[name] == wanted]
    return last_layer(chosen).astype({RUN: str}).set_index([RUN, EPOCH])["value"]
