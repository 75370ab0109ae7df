"""The numbers that figures of many runs show: where each is found in its table, and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from layerscope.errors import UsageError
from layerscope.plotting.matrix.places import axes_in
from layerscope.results.known_runs import RUN
from layerscope.results.nc_layer import first_collapsed
from layerscope.results.rows import EPOCH, PLACE, RESULT

if TYPE_CHECKING:
    from pandas import DataFrame

    from layerscope.plotting.matrix.tables import MatrixTables

UNITS = {"nat": "nats", "bit": "bits"}
_LARGEST = ("n", "rank")


@dataclass(frozen=True)
class Quantity:
    """One number per layer.

    Parameters
    ----------
    table
        The measure.
    where
        Its qualifiers. Of those left open the smallest value is taken, of sample sizes and ranks the largest.
    label
        What the number is called on an axis.
    log
        Whether its axis is logarithmic.
    share
        Whether it lies between 0 and 1.
    reference, beside
        What it is to be compared with, and the rows of the same table that say how large that is; without
        rows it is one over the number of classes.
    """

    table: str
    label: str
    where: Mapping[str, object] = field(default_factory=dict)
    log: bool = False
    share: bool = False
    split: str = "train"
    reference: str = ""
    beside: Mapping[str, object] | None = None


QUANTITIES: dict[str, Quantity] = {
    "CDNV": Quantity("CDNV", "CDNV", {"statistic": "mean"}, log=True),
    "NC1": Quantity("NC1", "NC1", {"statistic": "pinv"}, log=True),
    "Traces": Quantity("Traces", "relative trace within", {"trace": "within", "scale": "relative"}, log=True),
    "ETF": Quantity(
        "ETF",
        "distance to an ETF",
        {"statistic": "etf_error"},
        reference="attainable in this dimension",
        beside={"statistic": "etf_floor"},
    ),
    "NCC": Quantity(
        "NCC", "nearest-center accuracy", {"statistic": "accuracy"}, share=True, reference="chance"
    ),
    "AngleBetweenSubspaces": Quantity("AngleBetweenSubspaces", "alignment with weights", share=True),
    "ActivationStableRank": Quantity(
        "ActivationStableRank", "stable rank", {"statistic": "pooled"}, log=True
    ),
    "VCI": Quantity("VCI", "variability collapse index", share=True),
    "DSE": Quantity("DSE", "DSE(T)", {"statistic": "entropy"}),
    "DSMI": Quantity("DSMI", "DSMI(T; Y)", {"variable": "labels", "statistic": "matched"}),
    "DSMI_inputs": Quantity("DSMI", "DSMI(T; X)", {"variable": "inputs", "statistic": "matched"}),
    "BinnedMI": Quantity("BinnedMI", "binned I(T; Y)", {"statistic": "labels"}),
    "KSG": Quantity("KSG", "KSG I(T; Y)", {"variable": "labels"}),
    "KSG_inputs": Quantity("KSG", "KSG I(T; X)", {"variable": "inputs"}),
    "GaussianMI": Quantity("GaussianMI", "Gaussian I(T; Y)", {"variable": "labels", "statistic": "unbiased"}),
    "LatentMI": Quantity("LatentMI", "latent I(T; Y)", {"variable": "labels"}),
    "LatentMI_inputs": Quantity("LatentMI", "latent I(T; X)", {"variable": "inputs"}),
}
"""Name → quantity. All are of the train split."""


def layer_rows(tables: MatrixTables, *, quantity: str) -> DataFrame:
    """The rows of a quantity by its name: one per run, epoch and layer.

    ``nc_layer`` is the place of the layer at which the run is collapsed in the end, where CDNV tells.
    """
    wanted = QUANTITIES[quantity]
    rows = quantity_rows(tables.frame(wanted.table), wanted)
    if "CDNV" not in tables.frames:
        return rows
    _, found = first_collapsed(last_epoch(tables.frame("CDNV")), [RUN])
    places = found.astype({RUN: str}).set_index(RUN)["layer_index"]
    return rows.assign(nc_layer=rows[RUN].astype(str).map(places).astype(float))


def quantity_rows(table: DataFrame, quantity: Quantity, split: str | None = None) -> DataFrame:
    """The rows of a quantity in the table of its measure: one per run, epoch and layer.

    Raises
    ------
    UsageError
        There is none, or some runs give it in bits and others in nats.
    """
    wanted = {**quantity.where, "split": split or quantity.split}
    rows = table[table["status"] != "skipped"] if "status" in table else table
    for name, value in wanted.items():
        rows = rows[rows[name] == value] if name in rows else rows.iloc[:0]
    if rows.empty:
        said = ", ".join(f"{name} {value}" for name, value in wanted.items())
        raise UsageError(f"no table {quantity.table} holds rows of {said}")
    rows = _narrowed(rows, {*wanted, RUN, *axes_in(table), *PLACE, *RESULT})
    units = sorted(rows["unit"].unique())
    if len(units) > 1:
        raise UsageError(
            f"{quantity.table} is in {' and in '.join(units)}, depending on the run; draw those of one unit"
        )
    return _beside_reference(rows, table, quantity) if quantity.reference else rows


def _beside_reference(rows: DataFrame, table: DataFrame, quantity: Quantity) -> DataFrame:
    """With a column ``reference``; as they are when there is nothing to compare with."""
    if quantity.beside is None:
        return rows.assign(reference=1 / rows["classes"]) if "classes" in rows else rows
    try:
        beside = quantity_rows(table, replace(quantity, where=quantity.beside, reference=""))
    except UsageError:
        return rows
    keys = [RUN, EPOCH, "layer_index"]
    return rows.merge(beside[[*keys, "value"]].rename(columns={"value": "reference"}), how="left", on=keys)


def label_of(rows: DataFrame, label: str) -> str:
    """The label of an axis, with the unit where there is one to name."""
    unit = UNITS.get(str(rows["unit"].iloc[0])) if len(rows) and "unit" in rows else None
    return f"{label} ({unit})" if unit else label


def last_layer(rows: DataFrame) -> DataFrame:
    """Of every run the rows of the last layer, the classifier's input as a rule."""
    return rows[rows["layer_index"] == rows.groupby(RUN, observed=True)["layer_index"].transform("max")]


def last_epoch(rows: DataFrame) -> DataFrame:
    """Of every run the rows of the last epoch that it has."""
    return rows[rows[EPOCH] == rows.groupby(RUN, observed=True)[EPOCH].transform("max")]


def _narrowed(rows: DataFrame, decided: set[str]) -> DataFrame:
    """One row per place: the qualifiers left open are narrowed to a value each."""
    for name in [name for name in map(str, rows.columns) if name not in decided]:
        if rows[name].nunique() > 1:
            if rows[name].dtype.name == "category":
                rows = rows[rows[name] == rows[name].iloc[0]]
            else:
                best = rows.groupby([RUN, *PLACE], observed=True)[name]
                rows = rows[rows[name] == best.transform("max" if name in _LARGEST else "min")]
    return rows
