"""Drift and accuracies of all runs of a group, as one row per run and kept epoch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from layerscope.errors import UsageError
from layerscope.results.catalogue import Catalogue

if TYPE_CHECKING:
    from pandas import DataFrame, Series

FACTOR, REPETITION = "Data.imbalance.factor", "Run.run"
NO_CLASS = -1


class Quantity(NamedTuple):
    """Where a number of a run is found: the table, and the rows of it at the last layer that has any."""

    table: str
    rows: Mapping[str, object]


def _drift(statistic: str) -> Quantity:
    return Quantity("Drift", {"statistic": statistic, "split": "train", "class": NO_CLASS})


def _accuracy(group: str, rule: str) -> Quantity:
    return Quantity("GroupAccuracy", {"group": group, "rule": rule, "split": "test"})


def _rows(statistic: str) -> Quantity:
    wanted = {"statistic": statistic, "vectors": "weights", "rule": "thirds"}
    return Quantity("MinorityCollapse", wanted)


QUANTITIES: dict[str, Quantity] = {
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


def imbalance_table(base: Path | str) -> DataFrame:
    """Return ``run``, ``label`` (the run without its repetition), the axes, ``epoch`` and all quantities.

    Runs that are not measured to their last epoch are left out; the log names them.

    Raises
    ------
    UsageError
        There is no run with the tables of the group ``Imbalance``.
    """
    catalogue = Catalogue(base)
    needed = {quantity.table for quantity in QUANTITIES.values()}
    if lacking := sorted(needed - set(catalogue.measures())):
        raise UsageError(
            f"no run below {base} has a table {', '.join(lacking)}; measure the group Imbalance."
        )
    frames = {name: catalogue.table(name) for name in needed}
    found = None
    for name, quantity in QUANTITIES.items():
        column = _column(frames[quantity.table], quantity).rename(name)
        found = column.to_frame() if found is None else found.join(column, how="outer")
    assert found is not None
    ended = catalogue.table("Drift", epochs="last")["run"].astype(str).unique()
    runs = catalogue.runs.astype({"run": str}).set_index("run")
    joined = found.reset_index().join(runs, on="run")
    joined = joined[joined["run"].isin(ended)]
    joined.insert(1, "label", [label_of(run) for run in joined["run"]])
    return joined.sort_values(["run", "epoch"], kind="stable").reset_index(drop=True)


def last_epochs(table: DataFrame) -> DataFrame:
    """The rows of the last epoch of each run."""
    return table.loc[table.groupby("run", sort=False)["epoch"].idxmax()]


def label_of(run: str) -> str:
    """What a run is called among others: its own part of the name, without repetition and ``loss_``."""
    parts = [part for part in run.split("/") if not re.fullmatch(r"run_\d+", part)]
    return parts[-1].removeprefix("loss_") if parts else run


def _column(frame: DataFrame, quantity: Quantity) -> Series[float]:
    """The values by run and epoch."""
    chosen = frame
    for name, wanted in quantity.rows.items():
        chosen = chosen[chosen[name] == wanted]
    last = chosen.groupby("run", observed=True)["layer_index"].transform("max")
    chosen = chosen[chosen["layer_index"] == last].astype({"run": str})
    return chosen.set_index(["run", "epoch"])["value"]
