"""All runs of a folder as one tidy frame."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from layerscope.config.nearest import suggestion
from layerscope.errors import Problem, UsageError
from layerscope.files import atomic_path
from layerscope.results.accuracies import ACCURACIES, last_and_best
from layerscope.results.collect import Collected, Wanted, collect, named
from layerscope.results.gather import Layout, check_columns
from layerscope.results.known_runs import RUN, KnownRuns
from layerscope.results.log_text import LOG, log_text
from layerscope.results.repetitions import over_repetitions
from layerscope.results.rows import CONDITIONS, EPOCH, LATER, RESULT
from layerscope.results.tables import TableStore

if TYPE_CHECKING:
    from pandas import DataFrame

Where = Mapping[str, object]
Columns = Sequence[str]
Epochs = int | Iterable[int] | Literal["last"]
Over = str | Sequence[str]

TABLE = Layout(
    whole=(EPOCH, "layer_index"),
    floats=("value",),
    texts=("split", "layer_name", "status", "reason", "unit", "weighting", "where", "reduce"),
    sparse=("error", "ceiling"),
    counts=("samples", "classes", "singletons", "dim"),
    later=LATER,
)
_log = logging.getLogger(__name__)


class Catalogue:
    """The results of all runs below a folder, at any depth.

    Every frame begins with the column ``run``, the run's folder below ``base``, and the axes of the matrix,
    named ``Section.key``. Texts are categories; floats are those that were written, bit for bit. Results that
    are missing or damaged are left out, with a warning, and listed in ``problems``.

    Parameters
    ----------
    base
        The folder, such as the ``save-dir`` of a matrix.
    folders
        Only these run folders below it, in this order; None is all.

    Examples
    --------
    ``Catalogue("logs/mlp_depth").table("CDNV", where={"Data": {"dataset-id": "mnist"}}, epochs="last")``
    """

    def __init__(self, base: Path | str, folders: Sequence[Path] | None = None) -> None:
        self._runs = KnownRuns(Path(base), folders)
        self._problems: set[Problem] = set()

    @property
    def problems(self) -> list[Problem]:
        """What was found missing or damaged until now: the run's folder, and what is wrong in it."""
        return sorted(self._problems)

    @property
    def runs(self) -> DataFrame:
        """One row per run: its name, and where it stands on each axis."""
        return self._runs.frame.copy()

    @property
    def axes(self) -> list[str]:
        """Names of the axes."""
        return self._runs.axes

    @property
    def folders(self) -> dict[str, Path]:
        """Name of each run → its folder."""
        return dict(zip(self._runs.names, self._runs.folders, strict=True))

    @property
    def ends(self) -> dict[str, int]:
        """Name of each run whose config can be read → the epoch at which its training ends."""
        ends = {name: self._runs.end(number) for number, name in enumerate(self._runs.names)}
        return {name: end for name, end in ends.items() if end is not None}

    @property
    def shared(self) -> dict[str, object]:
        """``Section.key`` → value, of every key of the configs on which all runs agree."""
        configs = [values for values in self._runs.configs if values]
        first, *others = configs or [{}]
        return {key: value for key, value in first.items() if all(each.get(key) == value for each in others)}

    def measures(self) -> list[str]:
        """Names of the measures of which any run has a table, sorted."""
        return sorted({name for folder in self._runs.folders for name in _store(folder).measures()})

    def table(
        self,
        measure: str,
        *,
        where: Where | None = None,
        columns: Columns = (),
        epochs: Epochs | None = None,
        over: Over = (),
    ) -> DataFrame:
        """One measure of all runs.

        Parameters
        ----------
        where
            Only runs whose config holds these values: ``{"Data": {"dataset-id": "mnist"}}``. Keys and words
            compare without regard to case, ``-`` and ``_``; a list of values stands for any of them.
        columns
            Only these of the table's columns; none named is all.
        epochs
            Only these; "last" is the end of training. Runs that lack one of them are named.
        over
            Axes of repetitions, ``"Run.run"`` as a rule: in place of ``value`` come ``mean``, ``std`` (the
            sample's) and ``n`` over runs that agree on all other axes. Undefined values do not count.

        Raises
        ------
        UsageError
            No run has such a table, or there is no such run, column or axis.
        """
        name = self._spelled(measure)
        wanted = self._wanted(where, epochs)

        def read(folder: Path, epochs: frozenset[int] | None) -> bytes | None:
            return _store(folder).text(name, epochs)

        frame = self._noted(name, collect(name, self._runs, wanted, read, TABLE, () if over else columns))
        if over:
            own = frame.columns[1 + len(self.axes) :]
            place = [column for column in own if column not in RESULT or column in CONDITIONS]
            frame = over_repetitions(self._runs, frame, over, place, ["value"])
            frame.columns = frame.columns.str.removeprefix("value_")
        return self._only(frame, columns)

    def log(
        self,
        *,
        where: Where | None = None,
        columns: Columns = (),
        epochs: Epochs | None = None,
        over: Over = (),
    ) -> DataFrame:
        """``log.csv`` of all runs, one row per epoch; parameters as in :meth:`table`.

        With ``over``, each column becomes ``<name>_mean``, ``<name>_std`` and ``<name>_n``.
        """
        wanted = self._wanted(where, epochs)
        frame = self._noted("log", collect("log", self._runs, wanted, log_text, LOG, () if over else columns))
        if over:
            values = [name for name in frame.columns[1 + len(self.axes) :] if name != EPOCH]
            frame = over_repetitions(self._runs, frame, over, [EPOCH], values)
        return self._only(frame, columns)

    def accuracies(self, *, where: Where | None = None, over: Over = ()) -> DataFrame:
        """One row per run: ``epoch``, the last so far, the accuracies there, and the best on the test split.

        With ``over``, mean, std and n of each over runs that have come to the same epoch.
        """
        rows = self._noted("log", collect("log", self._runs, self._wanted(where, None), log_text, LOG, ()))
        frame = last_and_best(rows, [RUN, *self.axes])
        return over_repetitions(self._runs, frame, over, [EPOCH], ACCURACIES) if over else frame

    def to_csv(self, measure: str, path: Path | str, **selection: Any) -> Path:
        """Write a table (``log``: the log) of all runs as CSV; parameters as in :meth:`table`."""
        frame = self._named(measure, **selection)
        with atomic_path(Path(path)) as beside:
            frame.to_csv(beside, index=False, lineterminator="\n")
        return Path(path)

    def to_parquet(self, measure: str, path: Path | str, **selection: Any) -> Path:
        """Write a table (``log``: the log) of all runs as Parquet; parameters as in :meth:`table`."""
        frame = self._named(measure, **selection)
        with atomic_path(Path(path)) as beside:
            frame.to_parquet(beside, index=False)
        return Path(path)

    def _named(self, measure: str, **selection: Any) -> DataFrame:
        return self.log(**selection) if measure == "log" else self.table(measure, **selection)

    def _spelled(self, measure: str) -> str:
        """The name of a measure as its tables are called."""
        if any(_store(folder).path(measure).exists() for folder in self._runs.folders):
            return measure
        known = {name.casefold(): name for name in self.measures()}
        if measure.casefold() not in known:
            hint = suggestion(measure, list(known.values())) if known else "nothing is measured yet"
            raise UsageError(f"no run below {self._runs.base} has a table {measure}; {hint}")
        return known[measure.casefold()]

    def _wanted(self, where: Where | None, epochs: Epochs | None) -> Wanted:
        numbers = self._runs.chosen(where)
        if epochs is None:
            return dict.fromkeys(numbers)
        if epochs == "last":
            ends = {number: self._runs.end(number) for number in numbers}
            return {number: frozenset([end]) for number, end in ends.items() if end is not None}
        return dict.fromkeys(numbers, frozenset([epochs] if isinstance(epochs, int) else epochs))

    def _noted(self, what: str, collected: Collected) -> DataFrame:
        """The frame; what was left out is kept in mind, and said."""
        problems = [*self._runs.problems, *collected.problems]
        if problems:
            _log.warning("%s is not complete: %s", what, named(problems))
            self._problems |= set(problems)
        return collected.frame

    def _only(self, frame: DataFrame, columns: Columns) -> DataFrame:
        """The columns of the runs, and the named ones; all when none is named."""
        if not columns:
            return frame
        own = [name for name in (RUN, *self.axes) if name in frame.columns]
        check_columns(columns, [name for name in frame.columns if name not in own])
        return frame[[*own, *columns]]


def _store(folder: Path) -> TableStore:
    return TableStore(folder / "measurements")
