"""Panels that many figures share: a quantity over layers, over epochs, over both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import (
    begin_at,
    draw_bound,
    draw_epoch_axis,
    draw_layer_axis,
    draw_reference,
    layers_of,
    set_share_axis,
)
from layerscope.plotting.drawing.heat_map import draw_heat_map
from layerscope.plotting.drawing.selection import short_name, spread
from layerscope.plotting.drawing.series import draw_by_epoch, draw_series, epoch_legend
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import (
    ABOVE,
    BELOW,
    OTHER_COLOURS,
    REFERENCE_COLOUR,
    SPLIT_COLOURS,
    LineStyle,
    depth_colours,
    styled,
)
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.quantity import Quantity, label_of
from layerscope.plotting.run_tables import RunTables
from layerscope.results.cdnv_unit import are_pure

if TYPE_CHECKING:
    from pandas import DataFrame

COLOURS = {**SPLIT_COLOURS, **OTHER_COLOURS}
MOST_COLUMNS = 3


@styled
def over_layers(tables: RunTables, quantities: Sequence[Quantity], split: str | None) -> Figure:
    """A panel per quantity that there are rows of: its values by layer, one line per checkpoint."""
    present = applying(tables, quantities, split)
    sheet = _sheet(tables, present)
    for axes, quantity in zip(sheet.axes, present, strict=True):
        draw_over_layers(sheet, axes, tables, quantity, split)
    sheet.legends.append(epoch_legend(tables.epochs, split or "weights"))
    return sheet.finish()


@styled
def over_epochs(
    tables: RunTables,
    quantities: Sequence[Quantity],
    title: str = "last layer",
    notes: Mapping[str, str] | None = None,
) -> Figure:
    """A panel per quantity that there are rows of: its values at the last layer that has any, by epoch.

    ``notes`` gives other words for notes below the panels.
    """
    present = applying(tables, quantities, None)
    sheet = _sheet(tables, present)
    splits = [_draw_over_epochs(sheet, *pair, tables) for pair in zip(sheet.axes, present, strict=True)]
    shown = {split for found in splits for split in found}
    sheet.legends.append(_legend_of_splits(title, shown))
    sheet.notes = {(notes or {}).get(note, note) for note in sheet.notes}
    return sheet.finish()


@styled
def layers_over_epochs(tables: RunTables, quantities: Sequence[Quantity], split: str) -> Figure:
    """A panel per quantity that there are rows of: its values by epoch, one line per layer."""
    present = applying(tables, quantities, split)
    sheet = _sheet(tables, present)
    names: dict[int, str] = {}
    for axes, quantity in zip(sheet.axes, present, strict=True):
        names |= _draw_layers_over_epochs(sheet, axes, tables, quantity, split)
    entries = [
        (Line2D([], [], color=colour, marker="o"), literal(short_name(names[index])))
        for index, colour in depth_colours(sorted(names)).items()
    ]
    sheet.legends.append(Legend(f"{split}, layer", entries))
    return sheet.finish()


@styled
def heat_maps(tables: RunTables, quantities: Sequence[Quantity], split: str) -> Figure:
    """A panel per quantity that there are rows of: layers along x, checkpoints along y."""
    present = applying(tables, quantities, split)
    columns = min(len(present), MOST_COLUMNS)
    sheet = Sheet.of_panels(
        f"{tables.title} · {split}" if tables.title else split,
        len(present),
        columns,
        panel=(2.95, 1.6) if columns == 1 else (2.0, 1.45),
        headings=True,
        colour_bars=True,
    )
    for axes, quantity in zip(sheet.axes, present, strict=True):
        draw_layer_epoch(sheet, axes, tables, quantity, split)
    return sheet.finish()


def applying(tables: RunTables, quantities: Sequence[Quantity], split: str | None) -> list[Quantity]:
    """Those of the quantities that have rows.

    Raises
    ------
    UsageError
        None has; the message names their tables.
    """
    present = [one for one in quantities if one.rows(tables.frames.get(one.table), split) is not None]
    if not present:
        names = " or ".join(dict.fromkeys(one.table for one in quantities))
        where = f" of split {split}" if split is not None else ""
        raise UsageError(f"there is no row{where} of {names} that applies to this run")
    return present


def draw_over_layers(
    sheet: Sheet, axes: Axes, tables: RunTables, quantity: Quantity, split: str | None
) -> None:
    """Values by layer on one panel, one line per checkpoint."""
    rows = _rows(tables, quantity, split)
    _begin(axes, quantity, rows)
    draw_by_epoch(sheet, axes, rows, tables.epochs)
    last = rows[(rows["epoch"] == rows["epoch"].max()).to_numpy()]
    _compare(sheet, axes, tables, quantity, last, split, "layer_index")
    _end(axes, quantity)
    label = "layer" if split is None else f"layer ({tables.tap})"
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, label)


def draw_layer_epoch(sheet: Sheet, axes: Axes, tables: RunTables, quantity: Quantity, split: str) -> None:
    """Values by layer and checkpoint on one panel, in colours."""
    rows = _rows(tables, quantity, split)
    indices, columns = np.unique(rows["layer_index"].to_numpy(), return_inverse=True)
    epochs, lines = np.unique(rows["epoch"].to_numpy(), return_inverse=True)
    values = np.ma.MaskedArray(np.zeros((len(epochs), len(indices))), mask=True)
    values[lines, columns] = rows["value"].to_numpy(dtype=float)
    limits = (0.0, 1.0) if quantity.share else None
    draw_heat_map(
        sheet, axes, values, indices.tolist(), list(map(str, epochs)), log=quantity.log, limits=limits
    )
    axes.set_ylabel("epoch")
    axes.set_title(label_of(rows, quantity.heading or quantity.label), loc="left", pad=11)
    draw_layer_axis(sheet, axes, rows, tables.nc_layer, f"layer ({tables.tap})", checked=False)


def _sheet(tables: RunTables, present: Sequence[Quantity]) -> Sheet:
    headings = any(one.heading for one in present)
    columns = 2 if len(present) == 4 else min(len(present), MOST_COLUMNS)
    panel = (2.95, 2.0) if columns < MOST_COLUMNS else (2.3, 1.65)
    sheet = Sheet.of_panels(tables.title, len(present), columns, panel, headings=headings)
    for axes, quantity in zip(sheet.axes, present, strict=True):
        axes.set_title(quantity.heading, loc="left", pad=11)
    return sheet


def _rows(tables: RunTables, quantity: Quantity, split: str | None) -> DataFrame:
    rows = quantity.rows(tables.frames.get(quantity.table), split)
    if rows is None:
        raise UsageError(f"the table {quantity.table} holds no rows of {dict(quantity.where)} that apply")
    return rows


def _begin(axes: Axes, quantity: Quantity, rows: DataFrame) -> None:
    """Scale and name of the axis, with the unit where it is a matter of choice."""
    if quantity.log:
        axes.set_yscale("log")
    axes.set_ylabel(label_of(rows, quantity.label))


def _end(axes: Axes, quantity: Quantity) -> None:
    if quantity.share:
        set_share_axis(axes)
    elif quantity.low is not None:
        begin_at(axes, quantity.low)


def _draw_over_epochs(sheet: Sheet, axes: Axes, quantity: Quantity, tables: RunTables) -> list[str]:
    """Draw the values of the last layer; the splits they are of."""
    rows = _rows(tables, quantity, None)
    rows = rows[(rows["layer_index"] == rows["layer_index"].max()).to_numpy()]
    _begin(axes, quantity, rows)
    splits = [split for split in COLOURS if (rows["split"] == split).any()]
    for place, split in enumerate(splits):
        series = rows[(rows["split"] == split).to_numpy()]
        draw_series(sheet, axes, series, colour=COLOURS[split], slot=(place, len(splits)), along="epoch")
    first = rows[(rows["split"] == splits[0]).to_numpy()]
    _compare(sheet, axes, tables, quantity, first, splits[0], "epoch")
    _end(axes, quantity)
    draw_epoch_axis(axes, rows["epoch"].unique().tolist())
    return splits


def _draw_layers_over_epochs(
    sheet: Sheet, axes: Axes, tables: RunTables, quantity: Quantity, split: str
) -> dict[int, str]:
    """Draw one line per layer, of few of many; index → name of those drawn."""
    rows = _rows(tables, quantity, split)
    layers = {layer.index: layer.name for layer in layers_of(rows)}
    shown = spread(list(layers))
    _begin(axes, quantity, rows)
    for place, (index, colour) in enumerate(depth_colours(shown).items()):
        series = rows[(rows["layer_index"] == index).to_numpy()]
        draw_series(sheet, axes, series, colour=colour, slot=(place, len(shown)), along="epoch")
    _draw_ceilings(sheet, axes, quantity, rows, depth_colours(shown))
    last = rows[(rows["layer_index"] == shown[-1]).to_numpy()]
    _compare(sheet, axes, tables, replace(quantity, ceiling=""), last, split, "epoch")
    _end(axes, quantity)
    draw_epoch_axis(axes, rows["epoch"].unique().tolist())
    return {index: layers[index] for index in shown}


def _draw_ceilings(
    sheet: Sheet, axes: Axes, quantity: Quantity, rows: DataFrame, colours: Mapping[int, str]
) -> None:
    """The ceiling by epoch: one for all layers that are drawn, or that of each in its colour."""
    if not quantity.ceiling:
        return
    shown = rows[rows["layer_index"].isin(list(colours)).to_numpy()]
    ends = shown.groupby("epoch")["ceiling"].agg(["min", "max"]).dropna().to_numpy(dtype=float)
    if np.allclose(ends[:, 0], ends[:, 1], rtol=1e-9):
        _draw_line(sheet, axes, shown.drop_duplicates("epoch"), "epoch", "ceiling", ABOVE, quantity.ceiling)
        return
    for index, colour in colours.items():
        own = shown[(shown["layer_index"] == index).to_numpy()]
        name = f"{quantity.ceiling}, by layer"
        _draw_line(sheet, axes, own, "epoch", "ceiling", ABOVE, name, colour=colour)


def _compare(
    sheet: Sheet,
    axes: Axes,
    tables: RunTables,
    quantity: Quantity,
    rows: DataFrame,
    split: str | None,
    along: str,
) -> None:
    """Draw what the values of ``rows`` are to be compared with."""
    if quantity.level is not None and _has_unit_of(quantity.level[0], rows):
        level, name = quantity.level
        draw_reference(axes, 1 / int(rows["classes"].max()) if level == "chance" else level)
        sheet.references[name] = BELOW
    if quantity.ceiling:
        _draw_line(sheet, axes, rows, along, "ceiling", ABOVE, quantity.ceiling)
    beside = quantity.rows_beside(tables.frames, split)
    if beside is not None:
        other = "epoch" if along == "layer_index" else "layer_index"
        beside = beside[(beside[other] == beside[other].max()).to_numpy()]
        _draw_line(sheet, axes, beside, along, "value", BELOW, quantity.beside_label)


def _has_unit_of(level: float | str, rows: DataFrame) -> bool:
    """Whether values may be held against a level: 0 is one in any unit, others are pure numbers."""
    return level in ("chance", 0) or "unit" not in rows or bool(are_pure(rows["unit"]).all())


def _draw_line(
    sheet: Sheet,
    axes: Axes,
    rows: DataFrame,
    along: str,
    column: str,
    style: LineStyle,
    name: str,
    *,
    colour: str = REFERENCE_COLOUR,
) -> None:
    """A line to compare with, where it has a place on the axis."""
    ordered = rows.sort_values(along, kind="stable")
    y = ordered[column].to_numpy(dtype=float)
    known = y[np.isfinite(y)]
    if len(known) and (known.max() > 0 or axes.get_yscale() != "log"):
        draw_bound(axes, ordered[along].to_numpy(dtype=float), y, style, colour)
        sheet.references[name] = style


def _legend_of_splits(title: str, splits: set[str]) -> Legend:
    entries = [
        (Line2D([], [], color=colour, marker="o"), split)
        for split, colour in COLOURS.items()
        if split in splits
    ]
    return Legend(title, entries)
