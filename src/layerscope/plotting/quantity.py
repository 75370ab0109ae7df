"""A number that a table has for every layer, split and epoch, and what its axis looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from layerscope.results.rows import PLACE, RESULT

if TYPE_CHECKING:
    from pandas import DataFrame

LARGEST = ("n", "rank")
"""Qualifiers of which the largest is taken where nothing else is said; of all others, the first."""


@dataclass(frozen=True)
class Quantity:
    """One number per layer, split and epoch.

    Parameters
    ----------
    table, where
        Its rows: those of the table in which the qualifiers have these values.
    label
        What is written at its axis; ``heading``, where one figure shows several.
    log, share
        Whether its axis is logarithmic, or that of something between nothing and all.
    low
        Where the axis begins; None leaves that to the values.
    level
        A value to compare with, and what it is; ``chance`` stands for one over the number of classes.
    beside, beside_label, beside_table
        Other rows, of the same table unless another is named, to compare with, such as what can be reached.
    ceiling
        Whether the column ``ceiling`` is drawn.
    """

    table: str
    label: str
    where: Mapping[str, object] = field(default_factory=dict)
    heading: str = ""
    log: bool = False
    share: bool = False
    low: float | None = None
    level: tuple[float | Literal["chance"], str] | None = None
    beside: Mapping[str, object] | None = None
    beside_label: str = ""
    beside_table: str = ""
    ceiling: str = ""

    def rows(self, frame: DataFrame | None, split: str | None = None) -> DataFrame | None:
        """Its rows in the table, one per layer, split and epoch; None when none applies."""
        return chosen_rows(frame, self.where, split)

    def rows_beside(self, frames: Mapping[str, DataFrame], split: str | None = None) -> DataFrame | None:
        """The rows to compare with; None when there are none."""
        frame = frames.get(self.beside_table or self.table)
        return None if self.beside is None else chosen_rows(frame, self.beside, split)


def chosen_rows(frame: DataFrame | None, where: Mapping[str, object], split: str | None) -> DataFrame | None:
    """Rows in which columns have the given values, one per place, without those that do not apply.

    Qualifiers that nothing is said about are narrowed down to one value each.
    """
    if frame is None:
        return None
    mask = (frame["status"] != "skipped").to_numpy()
    for column, wanted in (*where.items(), *([("split", split)] if split is not None else ())):
        mask = mask & (frame[column] == wanted).to_numpy()
    rows = frame[mask]
    open_qualifiers = [name for name in frame.columns if name not in (*PLACE, *RESULT, *where)]
    for name in open_qualifiers:
        if name in LARGEST:
            rows = _largest(rows, name)
        elif len(rows):
            rows = rows[(rows[name] == rows[name].iloc[0]).to_numpy()]
    return rows if len(rows) else None


def _largest(rows: DataFrame, name: str) -> DataFrame:
    """The row with the largest ``name`` at each place: layers may differ in it."""
    ordered = rows.sort_values(name, kind="stable", na_position="first")
    return ordered.drop_duplicates(list(PLACE), keep="last")
