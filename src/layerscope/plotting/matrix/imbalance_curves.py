"""Drift and accuracies of runs against a number that they differ in, such as the imbalance ratio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import finish_values, has_values
from layerscope.plotting.drawing.sheet import Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.averages import averaged
from layerscope.plotting.matrix.bands import draw_band
from layerscope.plotting.matrix.fits import PowerLaw, power_law
from layerscope.plotting.matrix.imbalance import ACCURACIES, COLOURS, check_varied, quantity_legend
from layerscope.plotting.matrix.imbalance_table import FACTOR, last_epochs
from layerscope.plotting.matrix.number_axis import NumberAxis
from layerscope.plotting.matrix.places import axis_name
from layerscope.plotting.matrix.roles import heading
from layerscope.plotting.matrix.settings import Setting, settings_sheet

if TYPE_CHECKING:
    from pandas import DataFrame

RATIO = "ratio"
DRIFT_LABEL, ACCURACY_LABEL = "drift (train)", "test accuracy"


def drift_law(table: DataFrame) -> PowerLaw:
    """The power law of the mean drift at each imbalance ratio (1 / factor), at the last epoch.

    Means are those of the logarithms over the runs of a ratio. Ratios at which the drift of any run is
    infinite, undefined or 0 are left out, and so are runs without a factor.

    Raises
    ------
    UsageError
        There are fewer than two such ratios.
    """
    last = _with_ratio(last_epochs(table))
    means = averaged(last[last[RATIO].notna()].assign(value=last["drift"]), [RATIO], log=True)
    sound = means[(means[["infinite", "undefined", "too_small"]] == 0).all(axis=1)]
    return power_law(sound[RATIO].tolist(), sound["middle"].tolist())


@styled
def scaling(table: DataFrame, title: str) -> Figure:
    """F34: drift against the imbalance ratio on logarithmic axes with its power law, and the accuracies.

    Runs that differ in anything else have panels, and a power law, of their own.
    """
    check_varied(table, FACTOR)
    last = _with_ratio(last_epochs(table))
    axis = NumberAxis.of(last[RATIO])
    sheet, settings = settings_sheet(title, last, [FACTOR])
    sheet.headings = True
    for setting in settings:
        drift, _ = _draw_against(sheet, setting, RATIO, axis, "imbalance ratio", log_drift=True)
        _draw_law(sheet, drift, setting)
        _few_ticks(drift)
    return sheet.finish()


@styled
def against(table: DataFrame, title: str, *, axis: str, log_x: bool = True) -> Figure:
    """F36, F38, F39: drift and accuracies against a number that the runs differ in.

    Runs that differ in anything else have panels of their own. For 0 on a logarithmic axis, and values that
    are not set, see :class:`~layerscope.plotting.matrix.number_axis.NumberAxis`.
    """
    check_varied(table, axis)
    last = last_epochs(table)
    numbers = NumberAxis.of(last[axis], log=log_x)
    sheet, settings = settings_sheet(title, last, [axis])
    for setting in settings:
        _draw_against(sheet, setting, axis, numbers, literal(axis_name(axis)))
    return sheet.finish()


def _with_ratio(rows: DataFrame) -> DataFrame:
    factor = rows[FACTOR].to_numpy(dtype=float, na_value=np.nan)
    return rows.assign(**{RATIO: 1 / factor})


def _draw_against(
    sheet: Sheet, setting: Setting, column: str, axis: NumberAxis, label: str, *, log_drift: bool = False
) -> Sequence[Axes]:
    """Drift and accuracies of one setting, on its two panels."""
    drift, accuracy = setting.axes
    drift.set(yscale="log" if log_drift else "linear", ylabel=DRIFT_LABEL)
    accuracy.set_ylabel(ACCURACY_LABEL)
    for axes, names in ((drift, ("drift",)), (accuracy, ACCURACIES)):
        axis.finish(axes, label)
        draw_spread(sheet, axes, setting.rows, column, axis, names)
        finish_values(axes)
    if not any(legend.entries for legend in sheet.legends):
        sheet.legends.append(quantity_legend(ACCURACIES))
    return setting.axes


def draw_spread(
    sheet: Sheet, axes: Axes, rows: DataFrame, column: str, axis: NumberAxis, names: Sequence[str]
) -> None:
    """Each quantity against ``column``: a point per run, a line through the means, a band of one deviation.

    Values that are not set stand apart, with a mean of their own.
    """
    log = axes.get_yscale() == "log"
    rows = rows.assign(place=axis.places(rows[column]))
    there = rows[column].notna().to_numpy()
    for number, name in enumerate(names):
        own = rows.assign(value=rows[name])
        shown = np.isfinite(own["value"]) & ((own["value"] > 0) | (not log))
        axes.plot(
            own["place"][shown], own["value"][shown], "o", color=COLOURS[name], markersize=2.2, alpha=0.6
        )
        for part in (own[there], own[~there]):
            if len(part):
                means = averaged(part, ["place"], log=log)
                draw_band(sheet, axes, means, "place", colour=COLOURS[name], slot=(number, len(names)))


def _draw_law(sheet: Sheet, axes: Axes, setting: Setting) -> None:
    """The power law through the means of a panel, in its heading; or that there is none."""
    try:
        law = drift_law(setting.rows)
    except UsageError:
        text = "no power law: fewer than two ratios"
    else:
        ratios = setting.rows[RATIO]
        ends = np.array([ratios.min(), ratios.max()])
        axes.plot(
            ends, law.coefficient * ends**law.exponent, color=REFERENCE_COLOUR, linestyle="--", zorder=1
        )
        sheet.references["power law"] = "--"
        text = f"exponent {law.exponent:.3f}, R² {law.r2:.3f}"
    heading(sheet, axes, f"{setting.name}: {text}" if setting.name else text)


def _few_ticks(axes: Axes) -> None:
    """Four places between the ends of a short logarithmic axis, which has no power of ten."""
    low, high = axes.get_ylim()
    if has_values(axes) and high < 30 * low:
        exact = np.geomspace(low * (high / low) ** 0.1, high * (low / high) ** 0.1, 4)
        rounded = ([float(f"{place:.{digits}g}") for place in exact] for digits in (2, 3, 4, 5))
        places = next((found for found in rounded if len(set(found)) == len(exact)), exact.tolist())
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_locator(FixedLocator(places))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.5g}")
