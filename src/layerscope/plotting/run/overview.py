"""The run at a glance: how it was trained, how far it is collapsed, and the main numbers of its layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from layerscope.errors import UsageError
from layerscope.plotting.drawing.series import epoch_legend
from layerscope.plotting.drawing.sheet import Legend, Sheet
from layerscope.plotting.drawing.style import styled
from layerscope.plotting.quantity import Quantity
from layerscope.plotting.run.accuracy import detail_legend, draw_accuracy, draw_loss, split_legend
from layerscope.plotting.run.collapse import AT_THE_END, draw_at_the_end, legend_of_the_end
from layerscope.plotting.run.geometry import draw_etf, draw_subspace_angles
from layerscope.plotting.run.information import LABELS
from layerscope.plotting.run.nearest_center import draw_ncc
from layerscope.plotting.run.panels import draw_over_layers
from layerscope.plotting.run.variability import draw_cdnv, draw_nc1
from layerscope.plotting.run_tables import LOG, RunTables

Draw = Callable[[Sheet, Axes, RunTables], None]


class _Panel(NamedTuple):
    """``tables``: of which one must be there, with rows of ``split``."""

    heading: str
    tables: tuple[str, ...]
    split: str | None
    draw: Draw


def _of(heading: str, table: str, draw: Callable[[Sheet, Axes, RunTables, str], None]) -> _Panel:
    return _Panel(heading, (table,), "train", lambda sheet, axes, tables: draw(sheet, axes, tables, "train"))


def _quantity(quantity: Quantity) -> _Panel:
    draw = partial(draw_over_layers, quantity=quantity, split="train")
    return _Panel(quantity.heading, (quantity.table,), "train", draw)


PANELS = (
    _Panel("Loss", (LOG, "Accuracy"), None, draw_loss),
    _Panel("Accuracy", (LOG, "Accuracy"), None, draw_accuracy),
    _Panel(
        "Collapse at the last layer",
        tuple(quantity.table for quantity in AT_THE_END.values()),
        "train",
        draw_at_the_end,
    ),
    _of("CDNV", "CDNV", draw_cdnv),
    _of("NC1", "NC1", draw_nc1),
    _of("ETF error", "ETF", partial(draw_etf, statistic="etf_error")),
    _Panel("Nearest class centre", ("NCC",), None, draw_ncc),
    _of("Subspace angles: first (red), last (black)", "AngleBetweenSubspaces", draw_subspace_angles),
    *map(
        _quantity,
        (
            Quantity(
                *("ActivationStableRank", "mean over the classes"),
                {"statistic": "mean"},
                "Stable rank of features",
                log=True,
            ),
            Quantity("DSE", "entropy S", {"statistic": "entropy"}, "Diffusion spectral entropy", low=0.0),
            replace(LABELS["neighbours"], heading="Information with labels, neighbours"),
            replace(LABELS["diffusion"], heading="Information with labels, diffusion"),
            Quantity(
                *("Drift", r"$\|\mu_B\|$ / rms $\|m_c\|$"),
                {"statistic": "relative", "class": -1},
                "Relative drift",
                low=0.0,
            ),
        ),
    ),
)
"""In this order, those of which the run has something; all of the training split where there is a choice."""


@styled
def overview(tables: RunTables) -> Figure:
    """Training, collapse at the last layer, and the main numbers of the measures that there are, by layer."""
    panels = [panel for panel in PANELS if _is_there(panel, tables)]
    if not panels:
        raise UsageError("the run has no table yet; train and measure it first")
    columns = min(len(panels), 4)
    sheet = Sheet.of_panels(tables.title, len(panels), columns, panel=(2.3, 1.65), headings=True)
    for axes, panel in zip(sheet.axes, panels, strict=True):
        panel.draw(sheet, axes, tables)
        axes.set_title(panel.heading, loc="left", pad=11)
    sheet.legends += _legends(tables)
    return sheet.finish()


def _is_there(panel: _Panel, tables: RunTables) -> bool:
    return any(tables.has(name) if name == LOG else tables.has(name, panel.split) for name in panel.tables)


def _legends(tables: RunTables) -> list[Legend]:
    epochs = [epoch_legend(tables.epochs, "train")] if tables.epochs else []
    end = [one for one in (legend_of_the_end(tables),) if one.entries]
    return [*epochs, split_legend(tables), *detail_legend(tables), *end]
