"""The numbers that figures of many runs show: where each is found in its table, and how it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from layerscope.errors import UsageError
from layerscope.plotting.matrix.places import axes_in
from layerscope.plotting.quantity import CEILING, Quantity, Source, chosen_rows, entropy_of
from layerscope.results.known_runs import RUN
from layerscope.results.nc_layer import first_collapsed
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

    from layerscope.plotting.matrix.tables import MatrixTables

SPLIT = "train"

_CHANCE: tuple[Literal["chance"], str] = ("chance", "chance")
_ETF_FLOOR = Source("ETF", {"statistic": "etf_floor"})


def _information(
    label: str, table: str, *, of: str = "labels", ceiling: str = CEILING, **where: str
) -> Quantity:
    """Information with the labels or the inputs, beside their entropy, unless that is the ceiling anyway."""
    return Quantity(table, label, {"variable": of, **where}, ceiling=ceiling, **entropy_of(of, table))


QUANTITIES: dict[str, Quantity] = {
    "CDNV": Quantity("CDNV", "CDNV", {"statistic": "mean"}, log=True),
    "NC1": Quantity("NC1", "NC1", {"statistic": "pinv"}, log=True),
    "Traces": Quantity("Traces", "relative trace within", {"trace": "within", "scale": "relative"}, log=True),
    "ETF": Quantity(
        "ETF",
        "distance to an ETF",
        {"statistic": "etf_error"},
        beside=(_ETF_FLOOR,),
        beside_label="attainable in this dimension",
    ),
    "NCC": Quantity("NCC", "nearest-center accuracy", {"statistic": "accuracy"}, share=True, level=_CHANCE),
    "AngleBetweenSubspaces": Quantity("AngleBetweenSubspaces", "alignment with weights", share=True),
    "ActivationStableRank": Quantity(
        "ActivationStableRank", "stable rank", {"statistic": "pooled"}, log=True
    ),
    "VCI": Quantity("VCI", "variability collapse index", share=True),
    "DSE": Quantity("DSE", "DSE(T)", {"statistic": "entropy"}, ceiling=CEILING),
    "DSMI": _information("DSMI(T; Y)", "DSMI", statistic="matched"),
    "DSMI_inputs": _information("DSMI(T; X)", "DSMI", of="inputs", statistic="matched"),
    "BinnedMI": Quantity(
        "BinnedMI", "binned I(T; Y)", {"statistic": "labels"}, **entropy_of("labels", "BinnedMI")
    ),
    "KSG": _information("KSG I(T; Y)", "KSG"),
    "KSG_inputs": _information("KSG I(T; X)", "KSG", of="inputs"),
    "GaussianMI": _information("Gaussian I(T; Y)", "GaussianMI", ceiling="", statistic="unbiased"),
    "LatentMI": _information("latent I(T; Y)", "LatentMI"),
    "LatentMI_inputs": _information("latent I(T; X)", "LatentMI", of="inputs"),
}
"""Name → quantity. All are of the train split."""

SPECTRA = ("WeightSVs", "WeightRanks", "ActivationCovSVs")
LOGARITHMIC = frozenset((*SPECTRA, *(quantity.table for quantity in QUANTITIES.values() if quantity.log)))
"""Tables whose numbers have a logarithmic axis; those of spectra are no single number of a layer."""


def layer_rows(tables: MatrixTables, *, quantity: str) -> DataFrame:
    """The rows of a quantity by its name: one per run, epoch and layer.

    ``nc_layer`` is the place of the layer at which the run is collapsed in the end, where CDNV tells.
    """
    rows = named_rows(tables, quantity, compared=True)
    if "CDNV" not in tables.frames:
        return rows
    _, found = first_collapsed(last_epoch(tables.frame("CDNV")), [RUN])
    places = found.astype({RUN: str}).set_index(RUN)["layer_index"]
    return rows.assign(nc_layer=rows[RUN].astype(str).map(places).astype(float))


def named_rows(tables: MatrixTables, quantity: str, *, compared: bool = False) -> DataFrame:
    """:func:`quantity_rows` of a quantity by its name, with what to compare with where that is asked for.

    Raises
    ------
    UsageError
        There is none.
    """
    wanted = QUANTITIES[quantity]
    frames = tables.frames if compared else None
    return quantity_rows(tables.frame(wanted.table), wanted, frames=frames)


def quantity_rows(
    table: DataFrame,
    quantity: Quantity,
    split: str = SPLIT,
    *,
    frames: Mapping[str, DataFrame] | None = None,
) -> DataFrame:
    """The rows of a quantity in the table of its measure: one per run, epoch and layer.

    With other ``frames``, by name, what it is compared with is the column ``reference``, where there is any.

    Raises
    ------
    UsageError
        There is none, or some runs give it in bits and others in nats.
    """
    rows = chosen_rows(table, quantity.where, split, axes_in(table))
    if rows is None:
        wanted = {**quantity.where, "split": split}
        said = ", ".join(f"{name} {value}" for name, value in wanted.items())
        raise UsageError(f"no table {quantity.table} holds rows of {said}")
    units = sorted(rows["unit"].unique())
    if len(units) > 1:
        raise UsageError(
            f"{quantity.table} is in {' and in '.join(units)}, depending on the run; draw those of one unit"
        )
    if frames is None:
        return rows
    return _with_reference(rows, quantity, split, {quantity.table: table, **frames})


def _with_reference(
    rows: DataFrame, quantity: Quantity, split: str, frames: Mapping[str, DataFrame]
) -> DataFrame:
    """With a column ``reference``; as they are when there is nothing, of the same unit, to compare with."""
    if quantity.level == _CHANCE:
        return rows.assign(reference=1 / rows["classes"]) if "classes" in rows else rows
    beside = quantity.rows_beside(frames, split, axes_in(rows))
    if beside is None or set(beside["unit"]) != set(rows["unit"]):
        return rows
    keys = [RUN, EPOCH, "layer_index"]
    values = beside[[*keys, "value"]].rename(columns={"value": "reference"})
    return rows.astype({RUN: str}).merge(values.astype({RUN: str}), how="left", on=keys)


def last_layer(rows: DataFrame) -> DataFrame:
    """Of every run the rows of the last layer, the classifier's input as a rule."""
    return rows[rows["layer_index"] == rows.groupby(RUN, observed=True)["layer_index"].transform("max")]


def last_epoch(rows: DataFrame) -> DataFrame:
    """Of every run the rows of the last epoch that it has."""
    return rows[rows[EPOCH] == rows.groupby(RUN, observed=True)[EPOCH].transform("max")]
