"""The figures of all runs below a folder, drawn into its folder ``figures``."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from layerscope.errors import DamagedFile, UsageError
from layerscope.files import write_atomic, write_json
from layerscope.plotting.matrix.registry import MATRIX_FIGURES, MatrixFigure
from layerscope.plotting.matrix.tables import ESTIMATORS, SIZES, MatrixTables
from layerscope.plotting.registry import FORMATS
from layerscope.plotting.run_tables import input_path
from layerscope.results.run_filter import existing_runs

FOLDER = "figures"
NOTES = ".drawn.json"

_log = logging.getLogger(__name__)

Digests = dict[str, str]
"""Figure → what it is drawn from."""


class MatrixPlots:
    """The folder ``figures`` of a matrix.

    Beside the figures lies a note of what each was drawn from: a digest of the names, times and sizes of its
    tables in all runs. A figure is drawn again when that has changed, runs that went or came included.
    """

    def __init__(self, base: Path | str) -> None:
        self.base = Path(base)
        self.folder = self.base / FOLDER

    def draw(self, names: Sequence[str] | None = None, *, force: bool = False) -> list[Path]:
        """Draw figures as PDF and PNG; those that are up to date only when ``force``.

        Parameters
        ----------
        names
            Of :data:`~layerscope.plotting.matrix.registry.MATRIX_FIGURES`. None is all of them for which the
            runs have what it takes.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        UsageError
            There is no run; or none of the figures that are named can be drawn from these.
        """
        wanted = {name: MATRIX_FIGURES[name] for name in (MATRIX_FIGURES if names is None else names)}
        digests = self._digests(wanted)
        known = {} if force else self._known()
        due = {name: wanted[name] for name in digests if not self._is_fresh(name, digests[name], known)}
        if not due and names is None:
            return []
        written, refused = self._draw(due)
        refused |= {name: _lacking(wanted[name]) for name in wanted if name not in digests}
        now = {name: {"from": digests[name], "drawn": name not in refused} for name in due}
        self._note({**self._known(), **now})
        if names is not None and refused:
            self._complain(refused, written)
        return written

    def _draw(self, figures: Mapping[str, MatrixFigure]) -> tuple[list[Path], dict[str, str]]:
        """The files written; and why other figures are not."""
        written: list[Path] = []
        refused: dict[str, str] = {}
        if not figures:
            return written, refused
        tables = MatrixTables.load(self.base, [name for each in figures.values() for name in each.inputs])
        for name, figure in figures.items():
            outcome = self._attempt(name, figure, tables)
            if isinstance(outcome, str):
                refused[name] = outcome
                self._remove(name)
            else:
                written += outcome
        return written, refused

    def _attempt(self, name: str, figure: MatrixFigure, tables: MatrixTables) -> list[Path] | str:
        """The files written, or why the figure cannot be drawn."""
        try:
            return self._draw_one(name, figure, tables)
        except (UsageError, DamagedFile) as error:
            _log.info("%s is not drawn: %s", name, error)
            return str(error)

    def _draw_one(self, name: str, figure: MatrixFigure, tables: MatrixTables) -> list[Path]:
        from layerscope.plotting.drawing.saving import save

        rows = figure.rows(tables)
        paths = self._paths(name)
        save(figure.draw(rows, tables.title), paths)
        if figure.table:
            table = self.folder / f"{name}.csv"
            write_atomic(table, rows.to_csv(index=False, lineterminator="\n").encode())
            return [*paths, table]
        return paths

    def _complain(self, refused: Mapping[str, str], written: Sequence[Path]) -> None:
        if not written:
            name, why = next(iter(refused.items()))
            more = f" (and {len(refused) - 1} more figures)" if len(refused) > 1 else ""
            raise UsageError(f"{name} cannot be drawn{more}: {why}")
        for name, why in refused.items():
            _log.warning("%s is not drawn: %s", name, why)

    def _paths(self, name: str) -> list[Path]:
        return [self.folder / f"{name}.{extension}" for extension in FORMATS]

    def _remove(self, name: str) -> None:
        """Take away a figure of tables that are not there any more."""
        for path in self._paths(name):
            path.unlink(missing_ok=True)

    def _digests(self, figures: Mapping[str, MatrixFigure]) -> Digests:
        """What each figure would be drawn from; figures that lack a table in all runs are left out."""
        runs = existing_runs(self.base)
        inputs = {name for figure in figures.values() for name in figure.inputs}
        stamps = {name: self._stamps(runs, name) for name in inputs}
        return {
            name: _digest({each: stamps[each] for each in figure.inputs})
            for name, figure in figures.items()
            if all(stamps[each] for each in figure.needs)
        }

    def _stamps(self, runs: Sequence[Path], table: str) -> list[Any]:
        """Path, time and size of a table in all runs that have it."""
        if table == ESTIMATORS:
            paths = [self.base / "estimators.csv"]
        elif table == SIZES:
            return []  # they do not change without the other tables
        else:
            paths = [input_path(run, table) for run in runs]
        return [stamp for path in paths if (stamp := _stamp(self.base, path))]

    def _is_fresh(self, name: str, digest: str, known: Mapping[str, Any]) -> bool:
        note = known.get(name) or {}
        there = all(path.is_file() for path in self._paths(name))
        return note.get("from") == digest and (there or not note.get("drawn"))

    def _known(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / NOTES).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _note(self, notes: Mapping[str, Any]) -> None:
        write_json(self.folder / NOTES, notes)


def _lacking(figure: MatrixFigure) -> str:
    return f"no run has the tables it needs: {', '.join(figure.needs)}"


def _stamp(base: Path, path: Path) -> list[Any] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return [str(path.relative_to(base)), found.st_mtime_ns, found.st_size]


def _digest(stamps: Mapping[str, Sequence[Any]]) -> str:
    return hashlib.sha256(json.dumps(stamps, sort_keys=True).encode()).hexdigest()[:16]
