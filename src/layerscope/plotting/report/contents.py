"""What a report says, as plain data: facts that the browser lays out, and blocks of numbers."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerscope.plotting.matrix.quantities import LOGARITHMIC
from layerscope.plotting.report.blocks import Grid, block
from layerscope.plotting.report.compared import compared_series
from layerscope.plotting.report.courses import most_points
from layerscope.plotting.report.measured import STATUSES, epochs_of
from layerscope.plotting.report.provenance_text import provenance_summary, provenance_text, record_of
from layerscope.plotting.report.reported_run import ReportedRun
from layerscope.plotting.report.results_read import Results, read_results
from layerscope.plotting.report.run_facts import layer_facts, run_facts
from layerscope.plotting.report.summary import axes_of_runs, introduction_of, summary_of, title_of
from layerscope.provenance import now
from layerscope.results.axes import REPETITION
from layerscope.results.nc_layer import THRESHOLD
from layerscope.version import __version__


@dataclass(frozen=True)
class Contents:
    """Facts as JSON can say them, and named blocks of bytes that are read when they are first needed."""

    facts: Mapping[str, Any]
    details: Mapping[str, Any]
    blocks: Mapping[str, bytes]


def contents_of(base: Path, runs: Sequence[ReportedRun], source: Path | None = None) -> Contents:
    """All that the report of ``runs`` says.

    Parameters
    ----------
    base
        Where the report will lie: links are relative to it.
    source
        The config that describes them, for what it says in its opening comments.
    """
    results = read_results(base, [run.folder for run in runs])
    grid = Grid.of(results.tables, len(runs))
    records = [record_of(run.folder) for run in runs]
    axes = axes_of_runs(runs)
    layer_sets = list(dict.fromkeys(grid.layers.values()))
    blocks, measures = _measures(results, grid)
    facts = {
        "title": title_of(runs, base),
        "introduction": introduction_of(source),
        "summary": summary_of(runs, axes),
        "provenance": provenance_summary(records),
        "made": f"{now()} by layerscope {__version__}",
        "problems": results.problems,
        "notes": _notes(runs, results, grid),
        "threshold": THRESHOLD,
        "statuses": STATUSES,
        "axes": axes,
        "repetitions": [place for place, name in enumerate(axes) if name in REPETITION],
        "runs": [
            {
                **run_facts(run, axes, base, results.courses.get(number, {})),
                **layer_facts(number, grid, layer_sets, results.collapsed.get(number, {})),
            }
            for number, run in enumerate(runs)
        ],
        "offsets": grid.offsets.tolist(),
        "layerSets": layer_sets,
        "measures": measures,
    }
    details = {
        "courses": results.courses,
        "configs": [_text(run.folder / "config.yaml") for run in runs],
        "provenance": [provenance_text(record) for record in records],
    }
    return Contents(facts, details, blocks)


def _measures(results: Results, grid: Grid) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    blocks: dict[str, bytes] = {}
    tables = {table.measure: table for table in results.tables}
    measures = []
    for table in (table.of_epochs(grid.epochs) for table in results.tables):
        blocks[table.measure], series = block(table, grid)
        for one, compared in zip(series, compared_series(table, tables), strict=True):
            one["compared"] = None if compared is None else compared._asdict()
        measures.append(
            {
                "name": table.measure,
                "log": table.measure in LOGARITHMIC,
                "thinned": table.thinned,
                "series": series,
            }
        )
    return blocks, measures


def _notes(runs: Sequence[ReportedRun], results: Results, grid: Grid) -> list[str]:
    """What is left out to keep the file small."""
    notes = []
    most = max((len(epochs) for epochs in grid.epochs.values()), default=0)
    if max(map(len, epochs_of(results.tables, sys.maxsize).values()), default=0) > most:
        notes.append(
            f"Of the measured epochs of a run at most {most} are shown, the first and the last among them."
        )
    points = most_points(len(results.courses))
    if any(run.config.optimizer.epochs >= points for run in runs):
        notes.append(f"Of the log of a run at most {points} epochs are drawn.")
    notes += [
        f"{table.measure}: {shown} of {there} values of {name} are shown."
        for table in results.tables
        for name, (shown, there) in table.thinned.items()
    ]
    return notes


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
