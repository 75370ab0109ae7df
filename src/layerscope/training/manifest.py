"""The list of a run's checkpoints with their sizes and checksums (no torch: status and preview read it)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from layerscope.errors import DamagedFile, MeasurementError
from layerscope.files import sha256, write_json

_REMEDY = "Delete it and run the same command again: training writes it anew."


@dataclass(frozen=True)
class CheckpointEntry:
    """What was written for one epoch."""

    file: str
    bytes: int
    sha256: str


class CheckpointManifest:
    """Which epochs are saved in a run's ``checkpoints`` folder, and what their files must look like.

    Parameters
    ----------
    folder
        The ``checkpoints`` folder itself; it need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "manifest.json"

    def entries(self) -> dict[int, CheckpointEntry]:
        """Every recorded checkpoint, by epoch.

        Raises
        ------
        DamagedFile
            ``manifest.json`` is not what :meth:`record` writes.
        """
        try:
            tree = json.loads(self.path.read_text(encoding="utf-8"))
            return {int(epoch): _entry(fields) for epoch, fields in tree.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise DamagedFile(self.path, f"it is not a list of checkpoints ({error})", _REMEDY) from error

    def epochs(self) -> tuple[int, ...]:
        """The recorded epochs, in order."""
        return tuple(sorted(self.entries()))

    def entry(self, epoch: int) -> CheckpointEntry:
        """What was recorded for ``epoch``.

        Raises
        ------
        MeasurementError
            No checkpoint of that epoch was ever recorded.
        """
        entries = self.entries()
        if epoch not in entries:
            saved = ", ".join(map(str, sorted(entries))) or "none"
            raise MeasurementError(
                f"{self.folder} holds no checkpoint of epoch {epoch} (saved: {saved}). "
                "Train first, or add the epoch to Logging.log-epochs."
            )
        return entries[epoch]

    def intact(self, epoch: int) -> bool:
        """Whether the file of ``epoch`` is there with its full size (cheap: it is not read)."""
        return not self.missing([epoch])

    def missing(self, expected: Iterable[int]) -> tuple[int, ...]:
        """The epochs of ``expected`` whose file is absent or has another size, in order."""
        entries, sizes = self.entries(), self._sizes()
        there = {epoch for epoch, entry in entries.items() if sizes.get(entry.file) == entry.bytes}
        return tuple(sorted(set(expected) - there))

    def verify(self, epoch: int) -> Path:
        """Read the file of ``epoch`` whole and return its path when its checksum is right.

        Raises
        ------
        DamagedFile
            The file is missing, truncated or altered.
        """
        entry = self.entry(epoch)
        path = self.folder / entry.file
        try:
            size, digest = path.stat().st_size, sha256(path)
        except OSError as error:
            raise DamagedFile(path, f"it cannot be read ({error.strerror})", _REMEDY) from error
        if size != entry.bytes:
            raise DamagedFile(path, f"it has {size} bytes, but {entry.bytes} were written", _REMEDY)
        if digest != entry.sha256:
            raise DamagedFile(path, "its SHA-256 is not that of what was written", _REMEDY)
        return path

    def record(self, epoch: int, entry: CheckpointEntry) -> None:
        """Note that the file of ``epoch`` is now on disk."""
        entries = {**self.entries(), epoch: entry}
        write_json(self.path, {str(key): asdict(entries[key]) for key in sorted(entries)})

    def forget_after(self, epoch: int) -> None:
        """Strike off the checkpoints after ``epoch``: training is about to make them anew."""
        entries = self.entries()
        kept = {number: entry for number, entry in entries.items() if number <= epoch}
        if len(kept) < len(entries):
            write_json(self.path, {str(key): asdict(kept[key]) for key in sorted(kept)})

    def _sizes(self) -> dict[str, int]:
        """Name → bytes of every file in the folder: one look for all of them."""
        try:
            with os.scandir(self.folder) as files:
                return {file.name: file.stat().st_size for file in files if file.name[0] != "."}
        except OSError:
            return {}


def _entry(fields: dict[str, Any]) -> CheckpointEntry:
    entry = CheckpointEntry(**fields)
    if "/" in entry.file or not isinstance(entry.bytes, int):
        raise ValueError(f"{fields} does not describe a checkpoint")
    return entry
