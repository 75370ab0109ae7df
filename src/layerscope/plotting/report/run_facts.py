"""What the report says of one run: its row in the table, and where its numbers are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from layerscope.plotting.report.blocks import Grid
from layerscope.plotting.report.courses import Course
from layerscope.plotting.report.measured import Layer
from layerscope.plotting.report.reported_run import ReportedRun
from layerscope.results.nc_layer import LayerRef

_LINKS = {"tables": "measurements", "figures": "plots", "overview": "plots/Overview.png"}


def run_facts(run: ReportedRun, axes: Sequence[str], base: Path, course: Course) -> dict[str, Any]:
    """How a run stands and what its training came to."""
    return {
        "name": run.name,
        "axes": [_cell(run.axes.get(name)) for name in axes],
        "state": run.state,
        "reason": run.reason,
        "done": _last(course, "epoch"),
        "planned": run.config.optimizer.epochs,
        "train": _last(course, "train_accuracy"),
        "test": _last(course, "test_accuracy"),
        "links": _links(run.folder, base),
    }


def layer_facts(
    number: int,
    grid: Grid,
    layer_sets: Sequence[Sequence[Layer]],
    collapsed: Mapping[int, LayerRef | None],
) -> dict[str, Any]:
    """The epochs and layers whose values are in the report, and the NC layer of each epoch.

    ``ncLayer`` is that of the last epoch: None without CDNV, empty where no layer is collapsed.
    """
    epochs, layers = grid.epochs.get(number, ()), grid.layers.get(number)
    return {
        "epochs": epochs,
        "layers": None if layers is None else layer_sets.index(layers),
        "collapsed": [_index(collapsed.get(epoch)) for epoch in epochs],
        "ncLayer": _named(collapsed[max(collapsed)]) if collapsed else None,
    }


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _last(course: Course, column: str) -> object:
    values = course.get(column)
    return values[-1] if values else None


def _index(layer: LayerRef | None) -> int | None:
    return None if layer is None else layer.index


def _named(layer: LayerRef | None) -> dict[str, object]:
    return {} if layer is None else vars(layer)


def _links(folder: Path, base: Path) -> dict[str, str]:
    """What there is in a run's folder, as addresses relative to the report."""
    place = Path(os.path.relpath(folder, base))
    return {
        text: quote((place / part).as_posix()) for text, part in _LINKS.items() if (folder / part).exists()
    }
