"""A run's folder: every path in it, what it holds, and what is left to do. Needs no torch."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from layerscope.claim import exclusive
from layerscope.config import Config, dump_yaml, load_config
from layerscope.distributed.ranks import rank
from layerscope.errors import DamagedFile, RunFolderError
from layerscope.files import remove_leftovers, write_atomic, write_json
from layerscope.heartbeat import FRESH_SECONDS
from layerscope.measurement.key import measurement_key, selected_measures
from layerscope.measures.catalog import VERSIONS
from layerscope.plotting.freshness import at_a_glance, drawable, outdated
from layerscope.plotting.registry import FIGURES, Figure
from layerscope.provenance import now, provenance
from layerscope.results.run_folders import PAIRS_FILE
from layerscope.results.tables import TableStore
from layerscope.status import StatusFile
from layerscope.training.manifest import CheckpointEntry, CheckpointManifest

ANOTHER_FOLDER = (
    "Choose another Logging.save-dir, add --timestamp, or delete that folder (if its job waits or runs: "
    "--cancel it first)"
)
"""What to do when a folder is another config's."""


@dataclass(frozen=True)
class RunFolder:
    """One cell of an experiment: a config and the folder that holds everything made from it.

    Parameters
    ----------
    config : Config
    folder : Path
    name : str
        What messages call it.
    axes : mapping
        Where it stands in its matrix: ``Section.key`` → value; empty for a run of its own.
    """

    config: Config
    folder: Path
    name: str
    axes: Mapping[str, object] = field(default_factory=dict, compare=False)

    @property
    def config_path(self) -> Path:
        """The full resolved config."""
        return self.folder / "config.yaml"

    @property
    def record_path(self) -> Path:
        """Config hash, place in the matrix, versions, host and times."""
        return self.folder / "run.json"

    @property
    def log_path(self) -> Path:
        """One row per epoch."""
        return self.folder / "log.csv"

    @property
    def validation_path(self) -> Path:
        """Which training samples are held out."""
        return self.folder / "validation.csv"

    @property
    def observations_path(self) -> Path:
        """Gradient norms and activations while training."""
        return self.folder / "observations.csv"

    @property
    def pairs_path(self) -> Path:
        """Its pairs of test and train images, and the first few to look at."""
        return self.folder / PAIRS_FILE

    @property
    def shared_folder(self) -> Path:
        """Where what concerns all cells of its matrix is kept; its own folder when it is a run of its own."""
        parts = Path(self.name).parts if self.axes else ()
        within = bool(parts) and self.folder.parts[-len(parts) :] == parts
        return self.folder.parents[len(parts) - 1] if within else self.folder

    @property
    def plots_path(self) -> Path:
        """Folder of the figures."""
        return self.folder / "plots"

    @property
    def jobs_path(self) -> Path:
        """Folder of what its processes and jobs said."""
        return self.folder / "jobs"

    @property
    def checkpoints(self) -> CheckpointManifest:
        """List of the saved checkpoints."""
        return CheckpointManifest(self.folder / "checkpoints")

    @property
    def tables(self) -> TableStore:
        """The measured tables."""
        return TableStore(self.folder / "measurements")

    def status(self, stage: str) -> StatusFile:
        """What was last said about a stage."""
        return StatusFile(self.folder, stage)

    @property
    def trained(self) -> bool:
        """Whether every checkpoint that the config asks for is there, and nothing is to be tidied up."""
        missing = self.checkpoints.missing(self.kept_epochs)
        if missing or not self.config.logging.keep_best:
            return not missing
        return bool(self._best()) and not self.checkpoints.outdone(self.config.checkpoint_epochs)

    @property
    def kept_epochs(self) -> tuple[int, ...]:
        """The epochs whose weights are kept and measured: the config's, and the best one if asked for."""
        return tuple(sorted({*self.config.checkpoint_epochs, *self._best()}))

    def _best(self) -> tuple[int, ...]:
        best = self.checkpoints.best() if self.config.logging.keep_best else None
        return () if best is None else (best,)

    def last_epoch(self) -> int:
        """The newest epoch that was finished, from the log; -1 when none was."""
        try:
            last = self.log_path.read_text(encoding="utf-8").rstrip().rpartition("\n")[2]
            return int(last.partition(",")[0])
        except (OSError, ValueError):
            return -1

    def pending_measures(self) -> dict[int, tuple[str, ...]]:
        """Epoch → measures whose rows are missing or out of date, for the checkpoints that are kept."""
        return self._lacking(
            {epoch: entry for epoch, entry in self.checkpoints.entries().items() if not entry.released}
        )

    def unmeasurable(self) -> dict[int, tuple[str, ...]]:
        """The same for the checkpoints that were removed by ``--clean``: there is nothing left to measure."""
        return self._lacking(self._released())

    def irreplaceable(self) -> dict[str, tuple[int, ...]]:
        """Measure → epochs whose rows are of other settings and whose checkpoints are removed."""
        keys = {epoch: entry.sha256 for epoch, entry in self._released().items()}
        names = [name for name in self.tables.measures() if name in VERSIONS] if keys else []
        found = {}
        for name in names:
            current = {epoch: measurement_key(self.config, name, digest) for epoch, digest in keys.items()}
            stored = self.tables.computed(name)
            found[name] = tuple(
                epoch for epoch in sorted(keys.keys() & stored) if stored[epoch] != current[epoch]
            )
        return {name: epochs for name, epochs in found.items() if epochs}

    def _released(self) -> dict[int, CheckpointEntry]:
        return {epoch: entry for epoch, entry in self.checkpoints.entries().items() if entry.released}

    def _lacking(self, entries: Mapping[int, CheckpointEntry]) -> dict[int, tuple[str, ...]]:
        """Epoch → measures whose rows are missing or out of date."""
        wanted = selected_measures(self.config) if entries else ()
        kept = self.kept_epochs if entries else ()
        computed = {measure: self.tables.computed(measure) for measure in wanted}
        lacking = {}
        for epoch, entry in entries.items():
            keys = {name: measurement_key(self.config, name, entry.sha256) for name in wanted}
            missing = tuple(name for name in wanted if computed[name].get(epoch) != keys[name])
            if missing and epoch in kept:
                lacking[epoch] = missing
        return lacking

    def done(self, stage: str) -> bool:
        """Whether nothing is left to do of ``stage``; the stages after training need a finished training.

        Quick: the status is believed when the stage was made from the very files that are there now. Else
        the files are looked through. A damaged file is not done; the stage itself says what to do.
        """
        try:
            return self.trained and (self._vouched(stage) or self._found_complete(stage))
        except DamagedFile:
            return False

    def stage_key(self, stage: str) -> str:
        """Short text that changes with anything a stage is made from, and with its results."""
        if stage == "train":
            return self._hash
        return self._measure_key() if stage == "measure" else self._plot_key()

    @cached_property
    def _hash(self) -> str:
        return self.config.hash

    def _measure_key(self) -> str:
        wanted = selected_measures(self.config)
        settings = measurement_key(self.config, wanted[0], "") if wanted else self._hash
        versions = [(name, VERSIONS[name]) for name in wanted]
        return _digest(settings, versions, _content(self.checkpoints.path), _listing(self.tables.folder))

    def _plot_key(self) -> str:
        tables = _content(self.tables.folder / "manifest.json")
        sizes = _size(self.log_path), _size(self.pairs_path)
        wanted = list(FIGURES), self.draws_everything
        return _digest(self._hash, wanted, tables, sizes, _listing(self.plots_path))

    @property
    def draws_everything(self) -> bool:
        """Whether the plot stage draws every figure: of all runs of a matrix nobody would look at them."""
        asked = self.config.logging.figures
        return asked == "all" or (asked == "auto" and not self.axes)

    def figures(self) -> dict[str, Figure]:
        """The figures that the plot stage keeps up to date, of those whose tables are there."""
        return drawable(self.folder, FIGURES if self.draws_everything else at_a_glance(self.folder))

    def _vouched(self, stage: str) -> bool:
        status = self.status(stage).read()
        return status is not None and status.state == "done" and status.key == self.stage_key(stage)

    def _found_complete(self, stage: str) -> bool:
        if not self._holds_this_config():
            return False
        if stage == "measure":
            return not self.pending_measures()
        if stage == "plot":
            possible = self.figures()
            return bool(possible) and not outdated(self.folder, possible)
        return True

    def _holds_this_config(self) -> bool:
        if self.recorded:
            return True
        return self.config_path.exists() and load_config(self.config_path).hash == self._hash

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the folder, and make sure that it is this config's.

        Of the processes that work on a run together the first holds it for all.
        """
        if rank() > 0:
            yield
            return
        with exclusive(self.folder):
            for folder in (self.folder, *(path for path in self.folder.iterdir() if path.is_dir())):
                remove_leftovers(folder)
            self.claim_config(durable=True)
            yield

    def claim_config(self, *, durable: bool = False) -> None:
        """Write config and record, unless they are there.

        Parameters
        ----------
        durable : bool
            Wait until they are on the disk: for who works in the folder, not for who submits a thousand.

        Raises
        ------
        RunFolderError
            The folder is another config's; the message shows the difference.
        """
        text = config_text(self.config)
        if not self._has_config(text):
            self.refuse_another_config()
            write_atomic(self.config_path, text, durable=durable)
            axes = {"axes": dict(self.axes)} if self.axes else {}
            known = {"hash": self._hash, "name": self.name, "created": now(), **provenance()}
            self.note(durable=durable, **known, **axes)
        elif self.axes and self._record().get("axes") != self.axes:
            self.note(durable=durable, axes=dict(self.axes))

    def _has_config(self, text: str) -> bool:
        try:
            same = self.config_path.read_text(encoding="utf-8") == text
        except FileNotFoundError:
            return False
        return same and self.record_path.exists()

    def _in_use(self) -> bool:
        """Whether there is, or is about to be, anything made from the config that the folder holds."""
        status = self.status("train").read()
        state = "new" if status is None else status.state
        working = state == "running" and self.status("train").age() <= FRESH_SECONDS
        return working or state == "queued" or bool(self.checkpoints.epochs()) or self.log_path.exists()

    @property
    def recorded(self) -> bool:
        """Whether the record is of this config; quick, for who asks thousands."""
        return self._record().get("hash") == self._hash

    def clash(self) -> list[str]:
        """How this config differs from that of the folder, if there is anything made from it, or will be."""
        if not (self.config_path.exists() and self._in_use()):
            return []
        stored = load_config(self.config_path)
        if stored.hash == self._hash:
            return []
        return differences(stored.identity(), self.config.identity())

    def refuse_another_config(self) -> None:
        """Raise RunFolderError, which shows the difference, when the folder is another config's."""
        if differing := self.clash():
            lines = "\n".join(f"  {line}" for line in differing)
            raise RunFolderError(
                f"{self.folder} holds a run of another config (there → here):\n{lines}\n{ANOTHER_FOLDER}."
            )

    def measures_alike(self, folder: Path) -> bool:
        """Whether the run in ``folder`` is measured as this one is to be."""
        section = _section_text(json.dumps({"Measurements": self.config.resolved()["Measurements"]}))
        return section.encode() in _content(folder / "config.yaml")

    def note(self, *, durable: bool = True, **entries: Any) -> None:
        """Add entries to run.json; the first time of creation stays."""
        if rank() > 0:
            return
        record = self._record()
        created = record.get("created", entries.get("created"))
        write_json(self.record_path, {**record, **entries, "created": created}, durable=durable)

    def _record(self) -> dict[str, Any]:
        return read_record(self.record_path)


def read_record(path: Path) -> dict[str, Any]:
    """What a run.json says; empty when it is not there or cannot be understood."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def config_text(config: Config) -> str:
    """The content of config.yaml."""
    return "".join(_section_text(json.dumps({name: tree})) for name, tree in config.resolved().items())


@lru_cache(maxsize=1024)
def _section_text(section: str) -> str:
    """YAML of one section, from JSON: the cells of a matrix have most of their sections in common."""
    return dump_yaml(json.loads(section))


def differences(there: Mapping[str, Any], here: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Lines ``Section.key: there → here`` for every value that differs between two nested mappings."""
    lines = []
    for key in dict.fromkeys([*there, *here]):
        one, other = there.get(key), here.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            lines += differences(one, other, f"{prefix}{key}.")
        elif one != other:
            lines.append(f"{prefix}{key}: {one} → {other}")
    return lines


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _listing(folder: Path) -> list[tuple[str, int]]:
    """Names and sizes of the files in a folder, sorted."""
    try:
        with os.scandir(folder) as files:
            return sorted((file.name, file.stat().st_size) for file in files if file.name[0] != ".")
    except FileNotFoundError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
