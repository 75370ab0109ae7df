"""What the figures of many runs are drawn from."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.errors import DamagedFile, UsageError
from layerscope.plotting.matrix.places import axes_in, axis_name, telling_axes, with_parts
from layerscope.plotting.run_tables import LOG
from layerscope.results.axes import REPETITION
from layerscope.results.catalogue import Catalogue
from layerscope.results.known_runs import RUN
from layerscope.results.rows import EPOCH
from layerscope.training.manifest import CheckpointManifest

if TYPE_CHECKING:
    from pandas import DataFrame

ESTIMATORS = "estimators"
"""Stands for ``estimators.csv`` in the folder itself: estimates whose truth is known."""

SIZES = "sizes"
"""Stands for the bytes of a checkpoint of each run."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MatrixTables:
    """Tables of all runs below a folder by name (``log``: the training log), and what the figures are called.

    ``unfinished`` are the runs of which a table does not reach the end of training; ``derived`` keeps what
    several figures make of the tables.
    """

    frames: Mapping[str, DataFrame]
    title: str = ""
    base: Path = field(default_factory=Path)
    unfinished: frozenset[str] = frozenset()
    derived: dict[str, DataFrame] = field(default_factory=dict, init=False, compare=False, repr=False)

    @classmethod
    def load(cls, base: Path, names: Iterable[str]) -> MatrixTables:
        """Read those tables that there are; what is missing or damaged in single runs is named in a warning.

        Raises
        ------
        UsageError
            There is no run.
        """
        catalogue = Catalogue(base)
        runs = with_parts(catalogue.runs)
        twins = _twins(runs)
        frames: dict[str, DataFrame] = {}
        for name in dict.fromkeys(names):
            frame = _read(catalogue, base, name)
            if frame is not None:
                frames[name] = _without(with_parts(frame), twins)
        unfinished = _unfinished(catalogue.ends, frames)
        title = matrix_title(_without(runs, twins), catalogue.shared, len(unfinished))
        return cls(frames, title, base, unfinished)

    def frame(self, name: str) -> DataFrame:
        """One table.

        Raises
        ------
        UsageError
            No run has it.
        """
        if name in self.frames:
            return self.frames[name]
        if name == ESTIMATORS:
            raise UsageError(f"there is no {self.base / 'estimators.csv'}; benchmarks/estimators.py makes it")
        raise UsageError(f"no run below {self.base} has {'a ' if name == LOG else 'the table '}{name}")


def matrix_title(runs: DataFrame, shared: Mapping[str, object], unfinished: int = 0) -> str:
    """What all runs have in common, how many they are, and in what they differ."""
    from layerscope.plotting.drawing.title import LOSSES, OPTIMIZERS

    def named(key: str, names: Mapping[str, str] | None = None) -> str:
        value = shared.get(key)
        return "" if value is None else (names or {}).get(str(value), str(value))

    optimizer = named("Optimizer.optimizer", OPTIMIZERS)
    rates = [
        f"{text} {shared[key]:g}"
        for key, text in (("Optimizer.lr", "lr"), ("Optimizer.weight-decay", "weight decay"))
        if isinstance(shared.get(key), (int, float))
    ]
    parts = [
        named("Model.model-name"),
        named("Data.dataset-id"),
        named("Optimizer.loss", LOSSES),
        ", ".join([optimizer, *rates] if optimizer else rates),
        _count(runs),
        f"{unfinished} not at the end of training" if unfinished else "",
    ]
    return " · ".join(part for part in parts if part)


def _count(runs: DataFrame) -> str:
    axes = [axis_name(axis) for axis in telling_axes(runs)]
    repeated = any(axis in runs and runs[axis].nunique() > 1 for axis in REPETITION)
    over = ", ".join(dict.fromkeys([*axes, *(["repetition"] if repeated else [])]))
    number = f"{len(runs)} run{'s' if len(runs) != 1 else ''}"
    return f"{number} over {over}" if over else number


def _unfinished(ends: Mapping[str, int], frames: Mapping[str, DataFrame]) -> frozenset[str]:
    """Runs with a table whose last epoch is not that of training."""
    found: set[str] = set()
    for frame in frames.values():
        if RUN in frame and EPOCH in frame:
            reached = frame.groupby(RUN, observed=True)[EPOCH].max()
            found |= {str(run) for run, epoch in reached.items() if epoch < ends.get(str(run), 0)}
    return frozenset(found)


def _read(catalogue: Catalogue, base: Path, name: str) -> DataFrame | None:
    if name == ESTIMATORS:
        return _read_estimators(base / "estimators.csv")
    if name == SIZES:
        return _sizes(catalogue)
    try:
        return catalogue.log() if name == LOG else catalogue.table(name)
    except UsageError as error:
        _log.info("%s", error)
        return None


def _sizes(catalogue: Catalogue) -> DataFrame | None:
    """``run`` and ``bytes``, of those runs whose checkpoints are listed."""
    import pandas as pd

    newest = {name: _newest(folder / "checkpoints") for name, folder in catalogue.folders.items()}
    known = {name: size for name, size in newest.items() if size}
    return pd.DataFrame({RUN: list(known), "bytes": list(known.values())}) if known else None


def _newest(checkpoints: Path) -> int:
    """Bytes of the newest checkpoint that is listed; 0 for none."""
    try:
        entries = CheckpointManifest(checkpoints).entries()
    except DamagedFile as error:
        _log.warning("%s", error)
        return 0
    return entries[max(entries)].bytes if entries else 0


def _read_estimators(path: Path) -> DataFrame | None:
    import pandas as pd

    if not path.is_file():
        return None
    try:
        frame: DataFrame = pd.read_csv(path)
    except ValueError as error:
        raise DamagedFile(path, "it is not a table", "Make it anew with benchmarks/estimators.py.") from error
    return frame


def _twins(runs: DataFrame) -> Sequence[str]:
    """Runs of the very same settings as another: one result, not two."""
    axes = axes_in(runs)
    again = runs[runs.duplicated(axes)][RUN].astype(str).tolist() if axes else []
    if again:
        _log.warning("runs of the same settings count once; left out: %s", ", ".join(again[:5]))
    return again


def _without(frame: DataFrame, twins: Sequence[str]) -> DataFrame:
    return frame[~frame[RUN].isin(twins)] if twins and RUN in frame else frame
