"""A quantity layer by layer over the runs of a matrix: means and bands over repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerscope.plotting.drawing.axes import draw_layer_axis, has_values, set_share_axis
from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.drawing.series import Border, draw_border, epoch_legend
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import NC_COLOUR, epoch_colours, styled
from layerscope.plotting.matrix.bands import draw_bands
from layerscope.plotting.matrix.bounds import draw_bounds
from layerscope.plotting.matrix.legends import add_colours
from layerscope.plotting.matrix.places import check_axes, having
from layerscope.plotting.matrix.quantities import last_epoch
from layerscope.plotting.matrix.roles import hue_colours, panels_of, roles, sheet_of
from layerscope.plotting.quantity import CEILING, label_of
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

LAYER = "layer_index"
NC_LAYER = Border("D", 0.985, "\N{BLACK DIAMOND} NC layer, median of the runs that have one")


@styled
def profile(
    rows: DataFrame,
    title: str,
    *,
    label: str = "value",
    log: bool = False,
    share: bool = False,
    reference: str = "",
    ceiling: str = CEILING,
    hue: str | None = None,
    panels: Sequence[str] | None = None,
) -> Figure:
    """A quantity by layer at the last epoch of each run: colours along one axis, a panel for all others.

    Parameters
    ----------
    rows
        ``run``, the axes, ``epoch, layer_name, layer_index, value``, and ``status, ceiling, unit`` if known:
        what :func:`~layerscope.plotting.matrix.quantities.quantity_rows` gives. ``nc_layer``, the place of a
        layer, is marked, and ``reference`` drawn, where there are such columns.
    reference, ceiling
        What the columns of these names hold; without a name they are not drawn.
    hue, panels
        Axes; chosen when None. Runs that agree on these are averaged, as repetitions are.
    """
    chosen = roles(rows, hue, panels)
    shown, total = panels_of(last_epoch(rows), chosen.panels)
    sheet = sheet_of(title, shown, total)
    colours = hue_colours(rows[chosen.hue]) if chosen.hue else {None: "#0072B2"}
    for axes, (_, own) in zip(sheet.axes, shown, strict=True):
        lines = [having(own, chosen.hue, value) if chosen.hue else own for value in colours]
        draw_bands(sheet, axes, lines, LAYER, list(colours.values()), log=log)
        _mark_nc_layers(sheet, axes, lines, list(colours.values()))
        draw_bounds(sheet, axes, lines, list(colours.values()), reference, ceiling, LAYER)
    _finish(sheet, [own for _, own in shown], label_of(rows, label), log=log, share=share)
    add_colours(sheet, chosen.hue, colours)
    return sheet.finish()


@styled
def multiples(
    rows: DataFrame,
    title: str,
    *,
    label: str = "value",
    log: bool = False,
    share: bool = False,
    reference: str = "",
    ceiling: str = CEILING,
    panels: Sequence[str] | None = None,
) -> Figure:
    """A quantity by layer through training, a colour for each epoch: a panel for every setting.

    ``panels`` names one or two axes for a smaller grid; runs that differ in others are then averaged, too.
    """
    check_axes(rows, panels or ())
    shown, total = panels_of(rows, roles_of_all(rows) if panels is None else panels)
    sheet = sheet_of(title, shown, total)
    epochs = spread(sorted(int(epoch) for epoch in rows[EPOCH].unique()))
    colours = epoch_colours(epochs)
    for axes, (_, own) in zip(sheet.axes, shown, strict=True):
        lines = [own[own[EPOCH] == epoch] for epoch in colours]
        draw_bands(sheet, axes, lines, LAYER, list(colours.values()), log=log)
        _mark_nc_layers(sheet, axes, [own], [NC_COLOUR])
        draw_bounds(sheet, axes, [own], [NC_COLOUR], reference, ceiling, LAYER)
    _finish(sheet, [own for _, own in shown], label_of(rows, label), log=log, share=share)
    sheet.legends.append(epoch_legend(epochs, _split(rows)))
    return sheet.finish()


def roles_of_all(rows: DataFrame) -> tuple[str, ...]:
    """Every axis that tells runs apart, the one of the colours of other figures last."""
    chosen = roles(rows)
    return (*chosen.panels, *([chosen.hue] if chosen.hue else []))


def _mark_nc_layers(sheet: Sheet, axes: Axes, groups: Sequence[DataFrame], colours: Sequence[str]) -> None:
    """Where each group of runs is collapsed at the end, as far as it is known."""
    for place, (rows, colour) in enumerate(zip(groups, colours, strict=True)):
        if "nc_layer" in rows:
            known = _finite(rows.drop_duplicates(RUN)["nc_layer"])
            middle = np.array([np.median(known)] if len(known) else [])
            draw_border(sheet, axes, middle, NC_LAYER, colour, (place, len(groups)))


def _finish(sheet: Sheet, panels: Sequence[DataFrame], label: str, *, log: bool, share: bool) -> None:
    """Give all panels one scale, and name their layers."""
    for axes in sheet.axes:
        axes.set_yscale("log" if log else "linear")
        axes.set_ylabel(label)
    if share:
        for axes in sheet.axes:
            set_share_axis(axes)
    else:
        share_limits(sheet.axes)
    for axes, rows in zip(sheet.axes, panels, strict=True):
        draw_layer_axis(sheet, axes, layers_by_place(rows), None, "layer")


def share_limits(panels: Sequence[Axes]) -> None:
    """Let all panels that hold anything have the same limits along y."""
    limits = [axes.get_ylim() for axes in panels if has_values(axes)]
    if limits:
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        for axes in panels:
            axes.set_ylim(low, high)


def layers_by_place(rows: DataFrame) -> DataFrame:
    """A row per layer; networks of several kinds can only be compared by place."""
    layers = rows.drop_duplicates(["layer_index", "layer_name"])
    if layers["layer_index"].duplicated().any():
        layers = layers.drop_duplicates("layer_index")
        layers = layers.assign(layer_name=layers["layer_index"].astype(str))
    return layers if "status" in layers else layers.assign(status="ok")


def _finite(column: Any) -> Any:
    values = column.to_numpy(dtype=float)
    return values[np.isfinite(values)]


def _split(rows: DataFrame) -> str:
    return str(rows["split"].iloc[0]) if "split" in rows and len(rows) else "train"
