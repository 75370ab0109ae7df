"""Neural collapse as a whole: every measure at a glance, over layers or through training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.plotting.drawing.axes import draw_epoch_axis, draw_layer_axis
from layerscope.plotting.drawing.series import TOO_SMALL, UNDEFINED, draw_series
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import GROUP_COLOURS, styled
from layerscope.plotting.quantity import Quantity, Source, label_of
from layerscope.plotting.run.panels import applying, over_epochs, over_layers
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame


def _statistic(name: str) -> Mapping[str, object]:
    return {"statistic": name}


ATTAINABLE = "attainable in this dimension"
THROUGH_TRAINING = [
    Quantity("NC1", r"$tr(\Sigma_W\Sigma_B^+)/K$", _statistic("pinv"), "NC1 pinv", log=True),
    Quantity("NC1", r"$tr(\Sigma_W\Sigma_B^+)/K$", _statistic("svd"), "NC1 svd", log=True),
    Quantity("NC1", r"$tr\,\Sigma_W/tr\,\Sigma_B$", _statistic("quotient"), "NC1 quotient", log=True),
    Quantity(
        "CDNV",
        "mean over pairs",
        _statistic("mean"),
        "CDNV",
        log=True,
        level=(0.2, "threshold of the NC layer"),
    ),
    Quantity(
        "ETF",
        "distance to an ETF",
        _statistic("etf_error"),
        "NC2 ETF error",
        low=0.0,
        beside=(Source("ETF", _statistic("etf_floor")),),
        beside_label=ATTAINABLE,
    ),
    Quantity("ETF", "std / mean of $\\|m_c\\|$", _statistic("equinorm"), "NC2 equal lengths", low=0.0),
    Quantity("ETF", r"mean of $|\cos + 1/(K-1)|$", _statistic("equiangular"), "NC2 equal angles", low=0.0),
    Quantity("GNC2", "variance", {"kernel": "dist", "statistic": "variance"}, "GNC2 distance", log=True),
    Quantity("GNC2", "variance", {"kernel": "log", "statistic": "variance"}, "GNC2 log distance", log=True),
    Quantity("SelfDuality", "distance", _statistic("frobenius"), "NC3 self-duality", low=0.0),
    Quantity(
        "SelfDuality", r"std / mean of $w_c\cdot m_c$", _statistic("uniform_variation"), "UNC3", low=0.0
    ),
    Quantity(
        "NCC",
        "agreement",
        _statistic("agreement"),
        "NC4 nearest centre",
        share=True,
        level=("chance", "chance"),
    ),
]
SUMMARY = {
    "within / total": Quantity("Traces", "", {"trace": "within", "scale": "relative"}),
    "CDNV": Quantity("CDNV", "", _statistic("mean")),
    "NC1": Quantity("NC1", "", _statistic("pinv")),
    "equinorm": Quantity("ETF", "", _statistic("equinorm")),
    "equiangular": Quantity("ETF", "", _statistic("equiangular")),
    "ETF error": Quantity("ETF", "", _statistic("etf_error")),
    "NCC error": Quantity("NCC", "", _statistic("accuracy")),
    "VCI": Quantity("VCI", "", _statistic("vci")),
}
AT_THE_END = {
    "NC1": Quantity("NC1", "", _statistic("pinv")),
    "NC2": Quantity("ETF", "", _statistic("etf_error")),
    "NC3": Quantity("SelfDuality", "", _statistic("frobenius")),
    "NC4": Quantity("NCC", "", _statistic("agreement")),
}
COLLAPSED_LAYER = [
    Quantity("NCLayer", "index of the layer", _statistic(name), heading, low=0.0)
    for name, heading in (("first", "first below 0.2"), ("persistent", "all later ones below, too"))
]
OOD = Quantity(
    "NC5",
    r"mean of $|\cos(\mu_c, \mu_{ood})|$",
    _statistic("orthogonality"),
    share=True,
    level=(0.0, "orthogonal"),
)


def through_training(tables: RunTables) -> Figure:
    """F21: NC1 to NC4 and their relatives at the last layer, by epoch."""
    return over_epochs(tables, THROUGH_TRAINING)


def draw_at_the_end(sheet: Sheet, axes: Axes, tables: RunTables) -> None:
    """NC1 to NC4 of the train split at the last layer that has them, by epoch, on one logarithmic axis.

    All four fall to 0 as the network collapses; of NC4 it is the share of samples that the nearest class mean
    puts elsewhere than the network.
    """
    axes.set_yscale("log")
    found = {name: one.rows(tables.frames.get(one.table), "train") for name, one in AT_THE_END.items()}
    shown = {name: rows for name, rows in found.items() if rows is not None}
    for place, (name, rows) in enumerate(shown.items()):
        last = rows[(rows["layer_index"] == rows["layer_index"].max()).to_numpy()]
        if name == "NC4":
            last = last.assign(value=1 - last["value"])
        colour = GROUP_COLOURS[list(AT_THE_END).index(name)]
        draw_series(sheet, axes, last, colour=colour, slot=(place, len(shown)), along="epoch")
    axes.set_ylabel("NC1 to NC4")
    draw_epoch_axis(axes, sorted({int(epoch) for rows in shown.values() for epoch in rows["epoch"]}))


def legend_of_the_end(tables: RunTables) -> Legend:
    """Legend of :func:`draw_at_the_end`."""
    entries = [
        (Line2D([], [], color=colour, marker="o"), name)
        for (name, one), colour in zip(AT_THE_END.items(), GROUP_COLOURS, strict=False)
        if one.rows(tables.frames.get(one.table), "train") is not None
    ]
    return Legend("last layer", entries)


def collapsed_layer(tables: RunTables) -> Figure:
    """The layer from which on the network is collapsed, by epoch."""
    return over_epochs(
        tables, COLLAPSED_LAYER, "", {UNDEFINED.note: "\N{MULTIPLICATION SIGN} no layer below 0.2"}
    )


def ood(tables: RunTables) -> Figure:
    """NC5: how far other data is from orthogonal to the class means, by layer."""
    return over_layers(tables, [OOD], "ood")


@styled
def summary(tables: RunTables, split: str = "train") -> Figure:
    """F18: logarithm of every measure by layer at the last checkpoint; lower is more collapsed."""
    applying(tables, list(SUMMARY.values()), split)
    sheet = Sheet.of_panels(tables.title, panel=(3.6, 2.4))
    axes = sheet.axes[0]
    found = {name: one.rows(tables.frames.get(one.table), split) for name, one in SUMMARY.items()}
    shown = {name: _logarithms(rows, name) for name, rows in found.items() if rows is not None}
    entries = []
    for place, (name, rows) in enumerate(shown.items()):
        colour = GROUP_COLOURS[place]
        draw_series(sheet, axes, rows, colour=colour, slot=(place, len(shown)))
        entries.append((Line2D([], [], color=colour, marker="o"), label_of(rows, name)))
    if TOO_SMALL.note in sheet.notes:  # of a logarithm, which is below 0 as a rule
        sheet.notes.remove(TOO_SMALL.note)
        sheet.notes.add("▼ the measure is 0")
    axes.set_ylabel("ln of the measure")
    longest = max(shown.values(), key=lambda rows: rows["layer_index"].nunique())
    draw_layer_axis(sheet, axes, longest, tables.nc_layer, f"layer ({tables.tap})")
    last = max(int(rows["epoch"].max()) for rows in shown.values())
    sheet.legends.append(Legend(f"{split}, epoch {last}", entries))
    return sheet.finish()


def _logarithms(rows: DataFrame, name: str) -> DataFrame:
    """The logarithm of the values at the last checkpoint; of an accuracy, of what it lacks to 1."""
    rows = rows[(rows["epoch"] == rows["epoch"].max()).to_numpy()]
    values = rows["value"].to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return rows.assign(value=np.log(1 - values if name == "NCC error" else values))
