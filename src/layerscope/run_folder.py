"""A run's folder: every path in it, what it holds, and what is left to do. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerscope.config import Config, dump_yaml, load_config
from layerscope.errors import RunFolderError
from layerscope.files import exclusive, remove_leftovers, write_atomic, write_json
from layerscope.measurement.key import measurement_key, selected_measures
from layerscope.provenance import now, provenance
from layerscope.results.tables import TableStore
from layerscope.training.manifest import CheckpointManifest


@dataclass(frozen=True)
class RunFolder:
    """One cell of an experiment: a config and the folder that holds everything made from it.

    Parameters
    ----------
    config : Config
    folder : Path
    name : str
        What messages call it.
    """

    config: Config
    folder: Path
    name: str

    @property
    def config_path(self) -> Path:
        """The full resolved config."""
        return self.folder / "config.yaml"

    @property
    def record_path(self) -> Path:
        """Config hash, versions, host and times."""
        return self.folder / "run.json"

    @property
    def log_path(self) -> Path:
        """One row per epoch."""
        return self.folder / "log.csv"

    @property
    def plots_path(self) -> Path:
        """Folder of the figures."""
        return self.folder / "plots"

    @property
    def checkpoints(self) -> CheckpointManifest:
        """List of the saved checkpoints."""
        return CheckpointManifest(self.folder / "checkpoints")

    @property
    def tables(self) -> TableStore:
        """The measured tables."""
        return TableStore(self.folder / "measurements")

    @property
    def trained(self) -> bool:
        """Whether every checkpoint that the config asks for is there."""
        return not self.checkpoints.missing(self.config.checkpoint_epochs)

    def pending_measures(self) -> dict[int, tuple[str, ...]]:
        """Epoch → measures whose rows are missing or out of date, for the saved checkpoints."""
        wanted = selected_measures(self.config)
        computed = {measure: self.tables.computed(measure) for measure in wanted}
        pending = {}
        for epoch, entry in self.checkpoints.entries().items():
            keys = {name: measurement_key(self.config, name, entry.sha256) for name in wanted}
            missing = tuple(name for name in wanted if computed[name].get(epoch) != keys[name])
            if missing and epoch in self.config.checkpoint_epochs:
                pending[epoch] = missing
        return pending

    @contextmanager
    def working(self) -> Iterator[None]:
        """Hold the folder, and make sure that it is this config's."""
        with exclusive(self.folder):
            for folder in (self.folder, *(path for path in self.folder.iterdir() if path.is_dir())):
                remove_leftovers(folder)
            self._claim()
            yield

    def _claim(self) -> None:
        text = dump_yaml(self.config.resolved())
        if self.config_path.exists() and self.config_path.read_text(encoding="utf-8") == text:
            return
        if self.config_path.exists() and (self.checkpoints.epochs() or self.log_path.exists()):
            self._refuse_another_config()
        write_atomic(self.config_path, text)
        self.note(hash=self.config.hash, name=self.name, created=now(), **provenance())

    def _refuse_another_config(self) -> None:
        stored = load_config(self.config_path)
        if stored.hash == self.config.hash:
            return
        lines = "\n".join(f"  {line}" for line in differences(stored.identity(), self.config.identity()))
        raise RunFolderError(
            f"{self.folder} holds a run of another config (there → here):\n{lines}\n"
            "Choose another Logging.save-dir, add --timestamp, or delete that folder."
        )

    def note(self, **entries: Any) -> None:
        """Add entries to run.json; the first time of creation stays."""
        try:
            record = json.loads(self.record_path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            record = {}
        created = record.get("created", entries.get("created"))
        write_json(self.record_path, {**record, **entries, "created": created})


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
