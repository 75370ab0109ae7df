"""Everything that a report shows of the results of runs, and what of it is missing or damaged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from layerscope.errors import UsageError
from layerscope.plotting.report.collapse import collapsed_layers
from layerscope.plotting.report.courses import Course, courses
from layerscope.plotting.report.measured import Measured, measured
from layerscope.results.catalogue import Catalogue
from layerscope.results.nc_layer import LayerRef
from layerscope.results.tables import TableStore

if TYPE_CHECKING:
    from pandas import DataFrame

T = TypeVar("T")
_COLLAPSE = "CDNV"


@dataclass
class Results:
    """The results of runs, which are called by their number.

    Parameters
    ----------
    tables : list of Measured
        One per measure.
    courses : mapping
        Number of a run → its log.
    collapsed : mapping
        Number of a run → epoch → its NC layer.
    problems : list of str
        What is missing or damaged, each with its place.
    """

    tables: list[Measured] = field(default_factory=list)
    courses: dict[int, Course] = field(default_factory=dict)
    collapsed: dict[int, dict[int, LayerRef | None]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_results(base: Path, folders: Sequence[Path]) -> Results:
    """Read tables and logs of the runs in ``folders``; those that have none yet are no problem."""
    results = Results()
    _read_tables(results, base, folders)
    _read_logs(results, base, folders)
    return results


def _read_tables(results: Results, base: Path, folders: Sequence[Path]) -> None:
    numbers = _numbers(folders, lambda folder: bool(TableStore(folder / "measurements").measures()))
    catalogue = Catalogue(base, [folders[number] for number in numbers])
    for measure in catalogue.measures():
        table = _tried(results, lambda name=measure: catalogue.table(name))  # type: ignore[misc]
        if table is not None and (table["status"] != "skipped").any():
            results.tables.append(measured(measure, table, catalogue.axes, np.array(numbers, dtype=np.int32)))
            if measure == _COLLAPSE:
                results.collapsed = collapsed_layers(table, numbers)
    results.problems += map(str, catalogue.problems)


def _read_logs(results: Results, base: Path, folders: Sequence[Path]) -> None:
    numbers = _numbers(folders, lambda folder: (folder / "log.csv").exists())
    if not numbers:
        return
    catalogue = Catalogue(base, [folders[number] for number in numbers])
    log = _tried(results, catalogue.log)
    if log is not None:
        results.courses = courses(log, numbers)
    results.problems += [text for text in map(str, catalogue.problems) if text not in results.problems]


def _numbers(folders: Sequence[Path], has: Callable[[Path], bool]) -> list[int]:
    return [number for number, folder in enumerate(folders) if has(folder)]


def _tried(results: Results, read: Callable[[], DataFrame]) -> DataFrame | None:
    """A frame; None, with the reason among the problems, when no run has it intact."""
    try:
        return read()
    except UsageError as error:
        results.problems.append(str(error))
        return None
