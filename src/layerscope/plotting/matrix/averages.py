"""Means over repetitions that say what was left out of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerscope.plotting.drawing.degenerate import JOINT, reasons_of

if TYPE_CHECKING:
    from pandas import DataFrame


def averaged(rows: DataFrame, keys: Sequence[str], *, log: bool = False) -> DataFrame:
    """One row for all rows that agree in ``keys``.

    Columns: ``middle``, the mean; ``low`` and ``high``, one standard deviation (of the sample) to either
    side; ``n``, how many values these are of; ``infinite``, ``undefined`` and ``too_small``, how many values
    are so; ``degenerate``, how many of the ``n`` are, and ``reasons``, why, all joined by ``+``. With
    ``log`` mean and deviation are those of the logarithms, so that a band on a logarithmic axis is as far
    above the line as below, and values of 0 or less are too small.
    """
    value = rows["value"].to_numpy(dtype=float)
    too_small = np.isneginf(value) | ((value <= 0) & log)
    placed = np.isfinite(value) & ~too_small
    shown = np.where(placed, value, np.nan)
    reasons = np.where(placed, reasons_of(rows), "")
    degenerate = reasons != ""
    numbers = rows[list(keys)].assign(
        shown=np.log(shown) if log else shown,
        infinite=np.isposinf(value),
        undefined=np.isnan(value),
        too_small=too_small,
        degenerate=degenerate,
    )
    groups = numbers.groupby(list(keys), observed=True, dropna=False, sort=True)
    result: DataFrame = groups[["infinite", "undefined", "too_small", "degenerate"]].sum()
    joined = np.full(len(result), "", dtype=object)
    np.add.at(joined, groups.ngroup().to_numpy()[degenerate], reasons[degenerate] + JOINT)
    middle, deviation = groups["shown"].mean(), groups["shown"].std().fillna(0.0)
    back = np.exp if log else np.asarray
    result = result.assign(
        reasons=joined,
        middle=back(middle),
        low=back(middle - deviation),
        high=back(middle + deviation),
        n=groups["shown"].count(),
    )
    return result.reset_index()
