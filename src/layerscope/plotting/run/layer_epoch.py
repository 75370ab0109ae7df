"""Layers against checkpoints: the main number of every measure in colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from layerscope.plotting.quantity import Quantity
from layerscope.plotting.run.panels import heat_maps
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

MAIN = [
    Quantity("CDNV", "", {"statistic": "mean"}, "CDNV", log=True),
    Quantity("NC1", "", {"statistic": "pinv"}, "NC1", log=True),
    Quantity("Traces", "", {"trace": "within", "scale": "relative"}, "within / total trace", share=True),
    Quantity("VCI", "", {"statistic": "vci"}, "VCI", share=True),
    Quantity("ETF", "", {"statistic": "etf_error"}, "distance to an ETF"),
    Quantity("NCC", "", {"statistic": "accuracy"}, "nearest-centre accuracy", share=True),
    Quantity("AngleBetweenSubspaces", "", {}, "subspace cosine", share=True),
    Quantity("ActivationStableRank", "", {"statistic": "mean"}, "stable rank of classes", log=True),
    Quantity("DSE", "", {"statistic": "entropy"}, "diffusion spectral entropy"),
    Quantity("KSG", "", {"variable": "labels"}, "I(T; Y), neighbours"),
    Quantity("DSMI", "", {"variable": "labels", "statistic": "full"}, "I(T; Y), diffusion"),
    Quantity("Drift", "", {"statistic": "relative", "class": -1}, "relative drift"),
]


def main_measures(tables: RunTables, split: str = "train") -> Figure:
    """The main number of every measure that there is, layers along x, checkpoints along y."""
    return heat_maps(tables, MAIN, split)


def layer_epoch(
    frame: DataFrame,
    where: Mapping[str, object] | None = None,
    *,
    split: str = "train",
    heading: str = "",
    log: bool = False,
    title: str = "",
) -> Figure:
    """Draw any number of any table in colours, layers along x and checkpoints along y.

    Parameters
    ----------
    frame
        A table, as ``run.tables.read("CDNV")`` gives it.
    where
        Values of its qualifiers: ``{"statistic": "mean"}``. Of a qualifier that is left out, the first.
    log
        A logarithmic scale of colours.

    Raises
    ------
    UsageError
        There is no such row.
    """
    quantity = Quantity("table", "", where or {}, heading, log=log)
    return heat_maps(RunTables({"table": frame}, title), [quantity], split)
