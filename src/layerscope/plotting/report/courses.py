"""Accuracies and losses through the training of many runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from layerscope.plotting.drawing.selection import spread
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = tuple(
    f"{split}_{kind}" for kind in ("accuracy", "loss") for split in ("train", "test", "validation")
)

MOST_POINTS = 120_000
"""Of all runs together, in each of the columns."""

FEWEST, MOST = 60, 1000
"""Of one run, if it has so many epochs."""

Course = Mapping[str, Sequence[object]]


def courses(log: DataFrame, numbers: Sequence[int]) -> dict[int, Course]:
    """Number of a run → epochs and columns of its log, at most :func:`most_points` of its epochs.

    ``numbers`` are what to call the runs, in the order of the catalogue. Values have six digits; None is
    undefined, infinite ones are the texts "Infinity" and "-Infinity".
    """
    most = most_points(len(numbers))
    found: dict[int, Course] = {}
    for number, rows in log.groupby(log[RUN].cat.codes.to_numpy()):
        ordered = rows.sort_values(EPOCH, kind="stable")
        shown = ordered.iloc[list(spread(range(len(ordered)), most))]
        columns = {
            name: [plain(value) for value in shown[name]] for name in COLUMNS if _is_filled(shown, name)
        }
        found[numbers[int(str(number))]] = {EPOCH: shown[EPOCH].tolist(), **columns}
    return found


def _is_filled(rows: DataFrame, name: str) -> bool:
    """Whether a column has anything: without a validation split its two are empty."""
    return name in rows and not (name.startswith("validation") and rows[name].isna().all())


def most_points(runs: int) -> int:
    """Epochs shown of the log of each of so many runs."""
    return min(MOST, max(FEWEST, MOST_POINTS // max(runs, 1)))


def plain(value: float) -> float | str | None:
    """A number as JSON can say it, with six digits."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.6g}")
