"""How many directions matter: ranks of the weights, stable ranks of the features."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import draw_layer_axis
from layerscope.plotting.drawing.series import draw_by_epoch, draw_series, epoch_legend
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import shades, styled
from layerscope.plotting.quantity import Quantity
from layerscope.plotting.run.panels import over_layers
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

SHARES = ("0.9", "0.97", "0.99")
CUTOFFS = ("0.03", "0.01", "0.001", "0.0001")
SOFT_RANKS = [
    Quantity("WeightRanks", label, {"statistic": statistic}, log=True)
    for statistic, label in (
        ("stable_rank", "stable rank"),
        ("effective_rank", "effective rank"),
        ("participation_ratio", "participation ratio"),
        ("nuclear_frobenius", "nuclear / Frobenius norm"),
    )
]
WITHIN = Quantity("ActivationStableRank", "mean over the classes", {"statistic": "mean"}, log=True)
POOLED = replace(WITHIN, where={"statistic": "pooled"}, label="of the pooled covariance")


@styled
def weight_ranks(tables: RunTables) -> Figure:
    """F16: approximate and cutoff ranks of the weights at the last checkpoint, nuclear rank by epoch."""
    sheet = Sheet.of_panels(tables.title, 3, 3, panel=(2.3, 1.75), headings=True)
    approximate, nuclear, cutoff = sheet.axes
    kinds = (
        (approximate, "approximate_rank", "Purples", SHARES),
        (cutoff, "cutoff_rank", "Oranges", CUTOFFS),
    )
    for axes, name, palette, values in kinds:
        colours = dict(zip(values, shades(palette, len(values), 0.95, 0.45), strict=True))
        _draw_ranks(sheet, axes, tables, {f"{name}_{value}": colour for value, colour in colours.items()})
        axes.set_title(f"{name.replace('_', ' ')}, last epoch", loc="left", pad=11)
        entries = [(Line2D([], [], color=colour, marker="o"), value) for value, colour in colours.items()]
        sheet.legends.append(Legend(name.partition("_")[0], entries))
    rows = tables.rows("WeightRanks", statistic="nuclear_rank")
    nuclear.set_yscale("log")
    draw_by_epoch(sheet, nuclear, rows, tables.epochs)
    nuclear.set_title("nuclear rank", loc="left", pad=11)
    nuclear.set_ylabel(r"$\Sigma\,\sigma_i\,/\,\sigma_1$")
    draw_layer_axis(sheet, nuclear, rows, tables.nc_layer, "layer")
    sheet.legends.insert(0, epoch_legend(tables.epochs, "nuclear"))
    return sheet.finish()


def soft_ranks(tables: RunTables) -> Figure:
    """Soft ranks of the weights by layer, one line per checkpoint."""
    return over_layers(tables, SOFT_RANKS, None)


def class_stable_rank(tables: RunTables, split: str = "train") -> Figure:
    """F9: stable rank of the covariance within the classes: mean over classes, and of the pooled one."""
    return over_layers(tables, [WITHIN, POOLED], split)


@styled
def feature_stable_rank(tables: RunTables, split: str = "train") -> Figure:
    r"""F10: stable rank |H|²_F / |H|²_2 of the centred features H, whole, within, between classes.

    It is one over the largest eigenvalue of the covariance as a share of its trace.
    """
    kinds = {"total": "all features", "within": "within classes", "between": "between classes"}
    sheet = Sheet.of_panels(tables.title, 3, 3, panel=(2.3, 1.65), headings=True)
    for axes, (kind, heading) in zip(sheet.axes, kinds.items(), strict=True):
        rows = tables.rows("ActivationCovSVs", split=split, kind=kind, scale="relative", sigma_index=0)
        axes.set_yscale("log")
        rows = rows.assign(value=1 / rows["value"])
        draw_by_epoch(sheet, axes, rows, tables.epochs)
        axes.set_title(heading, loc="left", pad=11)
        axes.set_ylabel(r"$\|H\|_F^2\,/\,\|H\|_2^2$")
        draw_layer_axis(sheet, axes, rows, tables.nc_layer, f"layer ({tables.tap})")
    sheet.legends.append(epoch_legend(tables.epochs, split))
    return sheet.finish()


def _draw_ranks(sheet: Sheet, axes: Axes, tables: RunTables, colours: dict[str, str]) -> None:
    axes.set_yscale("log")
    rows = _last_of(tables.rows("WeightRanks"))
    for place, (statistic, colour) in enumerate(colours.items()):
        series = rows[(rows["statistic"] == statistic).to_numpy()]
        if series.empty:
            raise UsageError(f"the table WeightRanks holds no {statistic}")
        draw_series(sheet, axes, series, colour=colour, slot=(place, len(colours)))
    axes.set_ylabel("rank")
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, "layer")


def _last_of(rows: DataFrame) -> DataFrame:
    return rows[(rows["epoch"] == rows["epoch"].max()).to_numpy()]
