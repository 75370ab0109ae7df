"""Which figures are older than the tables they are drawn from. Looks at file times only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from layerscope.plotting.registry import FIGURES, FORMATS, OVERVIEW, Figure
from layerscope.plotting.run_tables import input_path
from layerscope.results.tables import TableStore


def plot_paths(run_folder: Path, name: str, formats: Sequence[str] = FORMATS) -> list[Path]:
    """The files of one figure."""
    return [run_folder / "plots" / f"{name}.{extension}" for extension in formats]


def drawable(run_folder: Path, figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Those of ``figures`` whose tables are there and hold the split they show."""
    return {name: figure for name, figure in figures.items() if _has_inputs(run_folder, figure)}


def at_a_glance(run_folder: Path) -> dict[str, Figure]:
    """The overview as a picture to look at, and whatever else lies there: it was asked for once.

    One file, since file systems that many share often limit how many a user may have.
    """
    there = {name: _formats_there(run_folder, name) for name in FIGURES}
    there[OVERVIEW] = tuple(name for name in FORMATS if name == "png" or name in there[OVERVIEW])
    return {name: replace(FIGURES[name], formats=formats) for name, formats in there.items() if formats}


def _formats_there(run_folder: Path, name: str) -> tuple[str, ...]:
    return tuple(path.suffix[1:] for path in plot_paths(run_folder, name) if path.exists())


def outdated(run_folder: Path, figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """Those of ``figures`` that are missing, or older than a table they are drawn from."""
    return {name: figure for name, figure in figures.items() if not _is_fresh(run_folder, name, figure)}


def _has_inputs(run_folder: Path, figure: Figure) -> bool:
    return all(_holds(run_folder, name, figure.split) for name in figure.needs) and (
        not figure.any_of or any(_holds(run_folder, name, figure.split) for name in figure.any_of)
    )


def _holds(run_folder: Path, table: str, split: str | None) -> bool:
    if not input_path(run_folder, table).is_file():
        return False
    return split is None or split in TableStore(run_folder / "measurements").splits(table)


def _is_fresh(run_folder: Path, name: str, figure: Figure) -> bool:
    drawn = [_time(path) for path in plot_paths(run_folder, name, figure.formats)]
    tables = [_time(input_path(run_folder, table)) for table in figure.inputs]
    return min(drawn) > 0 and min(drawn) >= max(tables)


def _time(path: Path) -> int:
    """Time of the last change in ns; 0 when there is no such file."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
