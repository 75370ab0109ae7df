"""A number of every class, through training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import finish_values, set_share_axis
from layerscope.plotting.drawing.selection import tick_places
from layerscope.plotting.drawing.series import draw_series, epoch_legend
from layerscope.plotting.drawing.sheet import NAME_DEPTH, Sheet
from layerscope.plotting.drawing.style import epoch_colours, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.run_tables import RunTables

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_NAMED = 11
ESTIMATORS = {"ksg": "neighbours (KSG)", "dsmi": "diffusion"}


@styled
def class_recall(tables: RunTables, split: str = "train") -> Figure:
    """Recall of every class, from the most frequent to the rarest, one line per checkpoint."""
    rows = tables.rows("ClassRecall", split=split)
    sheet = Sheet.of_panels(tables.title, panel=(3.6, 2.0))
    axes = sheet.axes[0]
    order = rows.drop_duplicates("class").sort_values(["train_samples", "class"], ascending=[False, True])
    _draw(sheet, axes, tables, rows, order["class"].tolist())
    axes.set_ylabel("recall")
    set_share_axis(axes)
    _name_classes(sheet, axes, order["class"].tolist(), order["train_samples"].tolist())
    sheet.legends.append(epoch_legend(tables.epochs, split))
    return sheet.finish()


@styled
def class_information(tables: RunTables, split: str = "train") -> Figure:
    """What each class contributes to the information of the last layer with the labels, by checkpoint."""
    frame = tables.rows("ClassMI", split=split, variable="labels")
    found = {heading: _of_estimator(frame, name) for name, heading in ESTIMATORS.items()}
    present = {heading: rows for heading, rows in found.items() if len(rows)}
    if not present:
        raise UsageError(f"there is no row of split {split} of ClassMI that applies to this run")
    sheet = Sheet.of_panels(tables.title, len(present), 2, headings=True)
    for axes, (heading, rows) in zip(sheet.axes, present.items(), strict=True):
        labels = sorted(map(int, rows["class"].unique()))
        _draw(sheet, axes, tables, rows, labels)
        axes.set_title(heading, loc="left", pad=6)
        axes.set_ylabel(f"contribution to I(T; Y) ({rows['unit'].iloc[0]}s)")
        _name_classes(sheet, axes, labels, [])
    last = frame["layer_name"][frame["layer_index"] == frame["layer_index"].max()].iloc[0]
    sheet.legends.append(epoch_legend(tables.epochs, literal(f"{last}, {split}")))
    return sheet.finish()


def _of_estimator(frame: DataFrame, estimator: str) -> DataFrame:
    """Its rows at the last layer, of the largest sample and the first power of the diffusion."""
    rows = frame[((frame["estimator"] == estimator) & (frame["status"] != "skipped")).to_numpy()]
    for name in ("layer_index", "n"):
        rows = rows[(rows[name] == rows[name].max()).to_numpy()]
    return rows[(rows["t"] == rows["t"].iloc[0]).to_numpy()] if len(rows) else rows


def _draw(sheet: Sheet, axes: Axes, tables: RunTables, rows: DataFrame, labels: list[int]) -> None:
    """One line per checkpoint over the classes in the order of ``labels``."""
    places = {label: place for place, label in enumerate(labels)}
    rows = rows.assign(place=rows["class"].map(places))
    colours = epoch_colours(tables.epochs)
    for number, (epoch, colour) in enumerate(colours.items()):
        chosen = rows[(rows["epoch"] == epoch).to_numpy()]
        draw_series(sheet, axes, chosen, colour=colour, slot=(number, len(colours)), along="place")


def _name_classes(sheet: Sheet, axes: Axes, labels: list[int], samples: list[int]) -> None:
    """Numbers of the classes, with their training samples below where these differ."""
    shown = tick_places(len(labels), MOST_NAMED)
    differ = len(set(samples)) > 1
    texts = [f"{labels[place]}\n{samples[place]}" if differ else str(labels[place]) for place in shown]
    axes.set_xticks(shown, texts)
    if differ:
        sheet.name_depths[axes] = 2 * NAME_DEPTH
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_xlabel("class, training samples" if differ else "class")
    finish_values(axes)
