"""The layer at which a network is collapsed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerscope.results.cdnv_unit import are_pure

if TYPE_CHECKING:
    from pandas import DataFrame

THRESHOLD = 0.2
"""CDNV below which a layer counts as collapsed."""


@dataclass(frozen=True)
class LayerRef:
    """A layer: its name, and its place in execution order."""

    name: str
    index: int


def nc_layer(
    cdnv: DataFrame,
    threshold: float = THRESHOLD,
    split: str = "train",
    epoch: int | None = None,
    *,
    persistent: bool = False,
) -> LayerRef | None:
    """First layer, in execution order, whose mean CDNV is below the threshold.

    Parameters
    ----------
    cdnv
        The table of CDNV.
    epoch
        The checkpoint to look at; None is the last one in the table.
    persistent
        Ask that every later layer is below the threshold too.

    Returns
    -------
    LayerRef or None
        None when no layer is; undefined and infinite values are never below, and neither are those of
        another exponent than 1, which are no pure numbers.
    """
    rows = _means(cdnv, split)
    if rows.empty:
        return None
    at = int(rows["epoch"].max()) if epoch is None else epoch
    rows = rows[rows["epoch"] == at].sort_values("layer_index", kind="stable")
    below = rows["value"] < threshold
    if persistent:
        below = below[::-1].cummin()[::-1].astype(bool)
    found = rows[below]
    if found.empty:
        return None
    return LayerRef(str(found["layer_name"].iloc[0]), int(found["layer_index"].iloc[0]))


def first_collapsed(
    cdnv: DataFrame, keys: Sequence[str], threshold: float = THRESHOLD, split: str = "train"
) -> tuple[DataFrame, DataFrame]:
    """The NC layers of many networks at once.

    Parameters
    ----------
    cdnv
        CDNV of all of them.
    keys
        Columns that tell them, and their checkpoints, apart.

    Returns
    -------
    pair of frames
        The rows that were looked at, and those of the NC layers; networks that have none are missing there.
    """
    rows = _means(cdnv, split)
    below = rows[rows["value"] < threshold].sort_values("layer_index", kind="stable")
    return rows, below.drop_duplicates(list(keys))


def _means(cdnv: DataFrame, split: str) -> DataFrame:
    """The rows that a threshold can be held against."""
    wanted = (cdnv["split"] == split) & (cdnv["statistic"] == "mean")
    return cdnv[wanted & are_pure(cdnv["unit"]) if "unit" in cdnv else wanted]
