"""What is drawn of each experiment group about class imbalance, and what is said about it in numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.errors import UsageError
from layerscope.plotting.drawing.saving import save
from layerscope.plotting.matrix import imbalance, imbalance_curves
from layerscope.plotting.matrix.imbalance_table import (
    FACTOR,
    TABLES,
    drift_rows,
    hue_of,
    imbalance_rows,
    last_epochs,
)
from layerscope.plotting.matrix.places import cells, telling_axes
from layerscope.plotting.matrix.tables import MatrixTables

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

Draw = Callable[["DataFrame", str], "Figure"]

FIGURES: dict[str, dict[str, Draw]] = {
    "exp01": {"F33_drift_map": imbalance.drift_map},
    "exp02": {"F34_scaling": imbalance_curves.scaling},
    "exp03": {"F35_losses": imbalance.by_category},
    "exp04": {"F36_weight_decay": partial(imbalance_curves.against, axis="Optimizer.weight-decay")},
    "exp05": {"F37_optimizers": imbalance.by_category},
    "exp06": {"F38_drift_penalty": partial(imbalance_curves.against, axis="Optimizer.drift-penalty")},
    "exp07": {"F39_batch_size": partial(imbalance_curves.against, axis="Data.batch-size")},
    "exp08": {"F40_layernorm": partial(imbalance.over_epochs, hue="Model.final-norm")},
    "exp09": {"F41_repetitions": imbalance.by_category},
    "exp10": {"F42_shots": partial(imbalance.by_category, accuracies=imbalance.SHOTS)},
}
"""Beginning of a group's name → the figures that answer its question, beside those that every group has."""


def report(base: Path, group: str) -> str:
    """Draw the figures of a group into ``base``/figures; return its numbers as text.

    Raises
    ------
    UsageError
        The group is unknown, or its runs have not been measured.
    """
    own = FIGURES.get(group.partition("_")[0])
    if own is None:
        raise UsageError(f"{group!r} is not a group; they begin with {', '.join(FIGURES)}.")
    tables = MatrixTables.load(base, TABLES)
    table, drift = imbalance_rows(tables), drift_rows(tables)
    hue = hue_of(table)
    drawn: dict[str, Figure] = {name: draw(table, group) for name, draw in own.items()}
    drawn["F43_epochs"] = imbalance.over_epochs(table, group, hue=hue)
    drawn["F44_layers"] = imbalance.over_layers(drift, group, hue=hue)
    drawn["F45_scatter"] = imbalance.scatter(table, group, hue=hue)
    for name, figure in drawn.items():
        save(figure, [base / "figures" / f"{name}.{suffix}" for suffix in ("pdf", "png")])
    return numbers(table, hue)


def numbers(table: DataFrame, hue: str) -> str:
    """Means over the repetitions at the last epoch, and the power law where the factor varies."""
    shown = ["drift", "relative drift", "overall", "head", "mid", "tail", "few"]
    key = "label" if hue == FACTOR and table["label"].nunique() > table[FACTOR].nunique() else hue
    means = last_epochs(table).groupby(key, sort=False, observed=True)[shown].mean()
    lines = [means.to_string(float_format=lambda value: f"{value:.3f}")]
    if hue == FACTOR and table[FACTOR].nunique() > 1:
        lines += _laws(table)
    return "\n".join(lines)


def _laws(table: DataFrame) -> list[str]:
    """The power law of each setting in which runs differ beside the factor."""
    lines = []
    for name, rows in cells(table, telling_axes(table, [FACTOR])):
        where = f" of {name}" if name else ""
        try:
            law = str(imbalance_curves.drift_law(rows))
        except UsageError as error:
            law = str(error)
        lines.append(f"drift over the imbalance ratio{where} (log-log fit): {law}")
    return lines
