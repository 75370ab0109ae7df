"""What is drawn of each experiment group about class imbalance, and what is said about it in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.errors import UsageError
from layerscope.plotting.matrix import imbalance_curves
from layerscope.plotting.matrix.imbalance_table import FACTOR, hue_of, imbalance_table, last_epochs
from layerscope.plotting.matrix.places import cells, telling_axes
from layerscope.plotting.matrix.plots import MatrixPlots

if TYPE_CHECKING:
    from pandas import DataFrame

FIGURES: dict[str, str] = {
    "exp01": "DriftMap",
    "exp02": "DriftScaling",
    "exp03": "ImbalanceByKind",
    "exp04": "ImbalanceWeightDecay",
    "exp05": "ImbalanceByKind",
    "exp06": "ImbalanceDriftPenalty",
    "exp07": "ImbalanceBatchSize",
    "exp08": "ImbalanceLayerNorm",
    "exp09": "ImbalanceByKind",
    "exp10": "ImbalanceShots",
}
"""Beginning of a group's name → the figure of many runs that answers its question."""

OF_EVERY_GROUP = ("DriftEpochs", "DriftLayers", "DriftTail")


def report(base: Path, group: str) -> str:
    """Draw the figures of a group into ``base``/figures; return its numbers as text.

    Raises
    ------
    UsageError
        The group is unknown, its runs have not been measured, or none of its figures can be drawn.
    """
    own = FIGURES.get(group.partition("_")[0])
    if own is None:
        raise UsageError(f"{group!r} is not a group; they begin with {', '.join(FIGURES)}.")
    table = imbalance_table(base)
    MatrixPlots(base).draw((own, *OF_EVERY_GROUP), force=True)
    return numbers(table, hue_of(table))


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
