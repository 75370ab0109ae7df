"""A number that a table has for every layer, split and epoch, and what its axis looks like."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from layerscope.results.cdnv_unit import exponent_of
from layerscope.results.known_runs import RUN
from layerscope.results.rows import PLACE, RESULT

if TYPE_CHECKING:
    from pandas import DataFrame, Series

UNITS = {"nat": "nats", "bit": "bits"}

LARGEST = ("n", "rank")
"""Qualifiers of which the largest is taken where nothing else is said; of other numbers, the smallest."""


class Source(NamedTuple):
    """Rows of a table in which the qualifiers have these values."""

    table: str
    where: Mapping[str, object]


LABEL_ENTROPIES = (
    Source("BinnedMI", {"statistic": "label_entropy"}),
    Source("DSMI", {"variable": "labels", "statistic": "label_entropy"}),
)
"""Where H(Y) of the sampled labels is found, which no information about them exceeds."""

CLUSTER_ENTROPY = Source("DSMI", {"variable": "inputs", "statistic": "label_entropy"})
"""Where the entropy of the clusters of images is found, which stand for the inputs."""

CEILING = "ceiling of the estimate"
H_OF_LABELS, H_OF_CLUSTERS = "entropy H(Y)", "entropy of the clusters of X"


def entropy_of(variable: str, table: str) -> dict[str, Any]:
    """What no information of a table about the ``labels`` or the ``inputs`` exceeds, as of a `Quantity`.

    H(Y) is taken from the table itself if it is there. Inputs have an entropy where they are clustered only.
    """
    if variable == "inputs":
        clustered = (CLUSTER_ENTROPY,) if table == CLUSTER_ENTROPY.table else ()
        return {"beside": clustered, "beside_label": H_OF_CLUSTERS if clustered else ""}
    own = tuple(one for one in LABEL_ENTROPIES if one.table == table)
    return {"beside": own or LABEL_ENTROPIES, "beside_label": H_OF_LABELS}


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
    beside, beside_label
        Rows to compare with, such as what can be reached: those of the first source that has any.
    ceiling
        What the column ``ceiling`` is called; it is not drawn without a name.
    """

    table: str
    label: str
    where: Mapping[str, object] = field(default_factory=dict)
    heading: str = ""
    log: bool = False
    share: bool = False
    low: float | None = None
    level: tuple[float | Literal["chance"], str] | None = None
    beside: tuple[Source, ...] = ()
    beside_label: str = ""
    ceiling: str = ""

    @property
    def reference(self) -> str:
        """What it is compared with; "" for nothing."""
        return self.beside_label or (self.level[1] if self.level else "")

    def rows(self, frame: DataFrame | None, split: str | None = None) -> DataFrame | None:
        """Its rows in the table, one per layer, split and epoch; None when none applies."""
        return chosen_rows(frame, self.where, split)

    def rows_beside(
        self, frames: Mapping[str, DataFrame], split: str | None = None, axes: Collection[str] = ()
    ) -> DataFrame | None:
        """The rows to compare with; None when there are none."""
        found = (chosen_rows(frames.get(one.table), one.where, split, axes) for one in self.beside)
        return next((rows for rows in found if rows is not None), None)


def label_of(rows: DataFrame, label: str) -> str:
    """The label of an axis, with the unit where it is a matter of choice; of CDNV, with an exponent but 1."""
    unit = str(rows["unit"].iloc[0]) if len(rows) and "unit" in rows else ""
    exponent = exponent_of(unit)
    chosen = UNITS.get(unit, "" if exponent == 1 else f"exponent {exponent:g}")
    return f"{label} ({chosen})" if chosen else label


def chosen_rows(
    frame: DataFrame | None, where: Mapping[str, object], split: str | None, axes: Collection[str] = ()
) -> DataFrame | None:
    """Rows in which columns have the given values, one per place, without those that do not apply.

    Qualifiers that nothing is said about are narrowed down to one value each; ``axes`` are columns that
    tell runs apart, and are none.
    """
    if frame is None:
        return None
    mask = (frame["status"] != "skipped").to_numpy()
    for column, wanted in (*where.items(), *([("split", split)] if split is not None else ())):
        mask = mask & (_equals(frame, column, wanted))
    rows = frame[mask]
    for name in map(str, frame.columns):
        if name not in (*PLACE, *RESULT, RUN, *where, *axes) and rows[name].nunique() > 1:
            rows = rows[_narrowed(rows, name).to_numpy()]
    return rows if len(rows) else None


def _equals(frame: DataFrame, column: str, wanted: object) -> object:
    return (frame[column] == wanted).to_numpy() if column in frame else False


def _narrowed(rows: DataFrame, name: str) -> Series[bool]:
    """Which rows have the one value of a qualifier: words the first, numbers the one of their place."""
    import pandas as pd

    column = rows[name]
    if not pd.api.types.is_numeric_dtype(column):
        return column == column.iloc[0]
    groups = column.groupby([rows[key] for key in (RUN, *PLACE) if key in rows], observed=True)
    best = groups.transform("max" if name in LARGEST else "min")
    return (column == best) | best.isna()
