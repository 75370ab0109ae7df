"""What the figures of one run are drawn from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from layerscope.errors import DamagedFile, UsageError
from layerscope.plotting.drawing.selection import spread
from layerscope.results.nc_layer import LayerRef, nc_layer
from layerscope.results.run_folders import PAIRS_FILE
from layerscope.results.tables import TableStore

if TYPE_CHECKING:
    from pandas import DataFrame

    from layerscope.results.stored_pairs import StoredPairs

LOG = "log"
"""Stands for ``log.csv`` among the names of tables."""

OBSERVATIONS = "observations"
"""Stands for ``observations.csv`` among the names of tables."""

PAIRS = "pairs"
"""Stands for ``pairs.npz`` among the names of tables."""

CHECKPOINTS = "checkpoints"
"""Stands for the list of checkpoints, whose features an open run gives, among the names of tables."""

FILES = {
    LOG: "log.csv",
    OBSERVATIONS: "observations.csv",
    PAIRS: PAIRS_FILE,
    CHECKPOINTS: "checkpoints/manifest.json",
}
"""What is no table of a measure: name → file."""

NOT_SHOWN = ("weighting", "where", "reduce", "samples", "singletons")
"""Columns of tables that no figure is drawn from."""

NC_LAYER_TABLE = "CDNV"
"""Marks the NC layer in every figure over layers."""


Kept = dict[str, "tuple[int, DataFrame]"]
"""Name → time of the file in ns, and what was in it."""


def input_path(run_folder: Path, table: str) -> Path:
    """The file of one table, or of what is no table of a measure."""
    if table in FILES:
        return run_folder / FILES[table]
    return TableStore(run_folder / "measurements").path(table)


class OpenRun(Protocol):
    """What is asked of a run, as ``layerscope.Run.open`` gives it."""

    @property
    def checkpoints(self) -> Any:
        """Has ``epochs()``, the kept ones."""

    def features(self, layer: str, split: Any, epoch: int | None) -> tuple[Any, Any]:
        """Features (N, D) and labels (N,) of a layer at an epoch."""


@dataclass(frozen=True)
class RunTables:
    """Tables by name (``log`` the training log), title, where layers are tapped, and the pairs of images.

    ``run`` gives the features that some figures are drawn from.
    """

    frames: Mapping[str, DataFrame]
    title: str = ""
    tap: str = "input"
    pairs: StoredPairs | None = None
    run: OpenRun | None = None

    @classmethod
    def load(
        cls,
        run_folder: Path,
        names: Iterable[str],
        *,
        title: str = "",
        tap: str = "input",
        kept: Kept | None = None,
        run: OpenRun | None = None,
    ) -> RunTables:
        """Read those tables of a run folder that are there.

        Parameters
        ----------
        kept
            What was read before; a table that has not changed since is taken from there.

        Raises
        ------
        DamagedFile
            A table is not what was written.
        """
        frames, pairs = {}, None
        for name in names:
            if name == CHECKPOINTS:
                continue
            if name == PAIRS:
                pairs = _read_pairs(run_folder / PAIRS_FILE)
                continue
            frame = _read(run_folder, name, {} if kept is None else kept)
            if frame is not None:
                frames[name] = frame
        return cls(frames, title, tap, pairs, run)

    def has(self, name: str, split: str | None = None) -> bool:
        """Whether there are rows of this table (and split)."""
        frame = self.frames.get(name)
        if frame is None or frame.empty:
            return False
        return split is None or bool((frame["split"] == split).any())

    def rows(self, name: str, **where: object) -> DataFrame:
        """Rows of a table in which the named columns have the given values.

        Raises
        ------
        UsageError
            There is no such row.
        """
        frame = self.frames.get(name)
        if frame is None:
            raise UsageError(f"the table {name} is not there; measure {name} first")
        masks = [(frame[column] == wanted).to_numpy(dtype=bool) for column, wanted in where.items()]
        found = frame[reduce(and_, masks)] if masks else frame
        if found.empty:
            raise UsageError(f"the table {name} holds no rows{_spell(where)}")
        return found

    @cached_property
    def epochs(self) -> tuple[int, ...]:
        """The checkpoints that figures by epoch show: all when few, else a spread with first and last."""
        measured = {
            int(epoch)
            for name, frame in self.frames.items()
            if name not in FILES
            for epoch in frame["epoch"].unique()
        }
        return spread(sorted(measured))

    @cached_property
    def nc_layer(self) -> LayerRef | None:
        """The layer at which the network is collapsed at the last checkpoint, on the training data."""
        return nc_layer(self.frames[NC_LAYER_TABLE]) if self.has(NC_LAYER_TABLE) else None


def _read_pairs(path: Path) -> StoredPairs | None:
    from layerscope.results.stored_pairs import StoredPairs

    return StoredPairs.load(path) if path.is_file() else None


def _read(run_folder: Path, name: str, kept: Kept) -> DataFrame | None:
    path = input_path(run_folder, name)
    if not path.is_file():
        return None
    changed = path.stat().st_mtime_ns
    if name not in kept or kept[name][0] != changed:
        reader = READERS.get(name)
        store = TableStore(run_folder / "measurements")
        frame = store.read(name, categories=True) if reader is None else reader(path)
        assert frame is not None
        kept[name] = (changed, _compact(frame))
    return kept[name][1]


def _compact(frame: DataFrame) -> DataFrame:
    """Without the columns that no figure shows, and with each text once: rows are chosen over and over."""
    frame = frame.drop(columns=[name for name in NOT_SHOWN if name in frame])
    texts = [
        name
        for name, kind in frame.dtypes.items()
        if kind != "category" and (not hasattr(kind, "kind") or kind.kind == "O")
    ]
    return frame.astype(dict.fromkeys(texts, "category")) if texts else frame


def _read_log(path: Path) -> DataFrame:
    import pandas as pd

    try:
        frame: DataFrame = pd.read_csv(path)
        return frame.astype({"epoch": "int64", "train_accuracy": "float64", "test_accuracy": "float64"})
    except (ValueError, KeyError) as error:
        raise DamagedFile(
            path, "it is not a training log", "Run the same command again to continue."
        ) from error


def _read_observations(path: Path) -> DataFrame:
    import pandas as pd

    try:
        frame: DataFrame = pd.read_csv(path, keep_default_na=False, na_values={"step": [""]})
        return frame.astype({"epoch": "int64", "step": "float64", "value": "float64"})
    except (ValueError, KeyError) as error:
        raise DamagedFile(
            path, "it does not hold observations", "Move it away and run the same command again."
        ) from error


READERS: dict[str, Callable[[Path], DataFrame]] = {LOG: _read_log, OBSERVATIONS: _read_observations}


def _spell(where: Mapping[str, object]) -> str:
    said = ", ".join(f"{column} {value!r}" for column, value in where.items())
    return f" of {said}" if said else ""
