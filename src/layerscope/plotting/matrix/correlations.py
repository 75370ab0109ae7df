"""Which measures go together with accuracy and with the gap between train and test."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from layerscope.errors import UsageError
from layerscope.plotting.drawing.axes import SMALL_CHARACTER
from layerscope.plotting.drawing.sheet import LEFT, Sheet
from layerscope.plotting.drawing.style import REFERENCE_COLOUR, styled
from layerscope.plotting.drawing.text import literal
from layerscope.plotting.matrix.legends import add_entries
from layerscope.plotting.matrix.places import clipped
from layerscope.plotting.matrix.quantities import QUANTITIES, last_epoch, last_layer, named_rows
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.run_tables import LOG
from layerscope.results.correlation import FEWEST, correlation
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

TARGETS = {"test_accuracy": "test accuracy", "gap": "train accuracy - test accuracy"}
COLOURS = {"pearson": "#0072B2", "spearman": "#D55E00"}
LEVEL = 0.95


def correlation_frame(tables: MatrixTables) -> DataFrame:
    """One row per measure and target: ``measure, target, n``, then ``pearson, pearson_low, pearson_high,
    pearson_p``, and the same of ``spearman``.

    A pair of numbers per run: the measure at the last layer and epoch (train split), the target there. The
    intervals are bootstrapped over runs with a fixed seed.

    Raises
    ------
    UsageError
        There are fewer than three runs, or nothing is measured that can be compared.
    """
    import pandas as pd

    log = tables.frame(LOG)
    ends = last_epoch(log).astype({RUN: str}).set_index(RUN)
    if len(ends) < FEWEST:
        raise UsageError(f"correlations take {FEWEST} runs at least; there are {len(ends)}")
    targets = {"test_accuracy": ends["test_accuracy"], "gap": ends["train_accuracy"] - ends["test_accuracy"]}
    rows = []
    for name, quantity in QUANTITIES.items():
        if quantity.table not in tables.frames:
            continue
        try:
            found = last_epoch(last_layer(named_rows(tables, name)))
        except UsageError:  # this table has no such rows
            continue
        values = found.astype({RUN: str}).set_index(RUN)
        values = values[values[EPOCH] == ends[EPOCH].reindex(values.index)]["value"]
        for target, wanted in targets.items():
            result = correlation(values.to_numpy(), wanted.reindex(values.index).to_numpy(), level=LEVEL)
            rows.append({"measure": name, "target": target, **asdict(result)})
    if not rows:
        raise UsageError(f"no run below {tables.base} has measures to correlate: measure the group Fast")
    return pd.DataFrame(rows)


@styled
def correlations(frame: DataFrame, title: str) -> Figure:
    """Both coefficients of every measure with every target, and their intervals: a panel per target.

    Parameters
    ----------
    frame
        What :func:`correlation_frame` gives.
    """
    measures = list(dict.fromkeys(frame["measure"]))
    sheet = Sheet.of_panels(
        title, len(TARGETS), len(TARGETS), (2.3, max(0.2 * len(measures), 0.6)), headings=True
    )
    longest = max(map(len, measures))
    sheet.left = max(longest * SMALL_CHARACTER + 0.25 - LEFT, 0.0)
    for place, (axes, (target, name)) in enumerate(zip(sheet.axes, TARGETS.items(), strict=True)):
        _draw(sheet, axes, frame[frame["target"] == target].set_index("measure"), measures)
        axes.set_title(name, fontsize=7)
        axes.set_xlabel("correlation")
        first = place % sheet.columns == 0
        axes.set_yticks(range(len(measures)), [literal(clipped(name)) for name in measures] if first else [])
    entries = [
        (Line2D([], [], color=COLOURS["pearson"], marker="o"), "Pearson's r"),
        (Line2D([], [], color=COLOURS["spearman"], marker="D"), "Spearman's rho"),
    ]
    sheet.notes.add("all runs together, whatever they differ in")
    add_entries(sheet, literal(f"{LEVEL:.0%}") + f" interval over {frame['n'].max()} runs", entries)
    return sheet.finish()


def _draw(sheet: Sheet, axes: Axes, rows: DataFrame, measures: list[str]) -> None:
    axes.axvline(0.0, color=REFERENCE_COLOUR, linewidth=0.8, linestyle=":", zorder=1)
    for place, measure in enumerate(measures):
        row = rows.loc[measure]
        if row["pearson"] != row["pearson"]:
            axes.plot(0.0, place, "x", color="0.5")
            sheet.notes.add(
                "\N{MULTIPLICATION SIGN} undefined: one of the two does not vary, or has too few values"
            )
            continue
        for kind, aside, marker in (("pearson", -0.14, "o"), ("spearman", 0.14, "D")):
            ends = [row[f"{kind}_low"], row[f"{kind}_high"]]
            axes.plot(ends, [place + aside] * 2, color=COLOURS[kind], linewidth=1.0)
            axes.plot(row[kind], place + aside, marker, color=COLOURS[kind], markersize=3, markeredgewidth=0)
    axes.set_xlim(-1.05, 1.05)
    axes.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0])
    axes.set_ylim(len(measures) - 0.4, -0.6)
    axes.grid(visible=False)
