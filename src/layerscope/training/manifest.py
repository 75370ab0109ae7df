"""The list of a run's checkpoints with their sizes and checksums (no torch: status and preview read it)."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from layerscope.errors import DamagedFile, MeasurementError
from layerscope.files import sha256, storage_errors, write_json

_REMEDY = "Delete it and run the same command again: training writes it anew."


@dataclass(frozen=True)
class CheckpointEntry:
    """What was written for one epoch.

    Attributes
    ----------
    file, bytes, sha256
    released
        Its file was removed on purpose, and nobody misses it.
    score
        How good the epoch is on the validation split, if it was the best so far; a greater one is better.
    """

    file: str
    bytes: int
    sha256: str
    released: bool = False
    score: tuple[float, ...] = ()


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
        """The recorded epochs whose files are kept, in order."""
        return tuple(sorted(epoch for epoch, entry in self.entries().items() if not entry.released))

    def entry(self, epoch: int) -> CheckpointEntry:
        """What was recorded for ``epoch``.

        Raises
        ------
        MeasurementError
            No checkpoint of that epoch was ever recorded.
        """
        entries = self.entries()
        if epoch not in entries:
            saved = ", ".join(map(str, self.epochs())) or "none"
            raise MeasurementError(
                f"{self.folder} holds no checkpoint of epoch {epoch} (saved: {saved}). "
                "Train first, or add the epoch to Logging.log-epochs."
            )
        return entries[epoch]

    def best(self, last: float = math.inf) -> int | None:
        """The epoch with the greatest score up to epoch ``last``, the first of equals; None without any."""
        scores = {epoch: entry.score for epoch, entry in self.entries().items() if epoch <= last}
        scored = sorted(epoch for epoch, score in scores.items() if score)
        return max(scored, key=scores.__getitem__) if scored else None

    def outdone(self, due: Iterable[int], last: float = math.inf) -> tuple[int, ...]:
        """Epochs that were kept as the best but are not now, nor were at epoch ``last``, nor are ``due``."""
        kept = {*due, self.best(), self.best(last)}
        return tuple(epoch for epoch, entry in self.entries().items() if entry.score and epoch not in kept)

    def intact(self, epoch: int) -> bool:
        """Whether the file of ``epoch`` is there with its full size (cheap: it is not read)."""
        return epoch in self.epochs() and not self.missing([epoch])

    def missing(self, expected: Iterable[int]) -> tuple[int, ...]:
        """The epochs of ``expected`` whose file is absent or has another size, in order.

        A file that was released is not missing: it had been there.
        """
        entries, sizes = self.entries(), self._sizes()
        there = {
            epoch
            for epoch, entry in entries.items()
            if entry.released or sizes.get(entry.file) == entry.bytes
        }
        return tuple(sorted(set(expected) - there))

    def verify(self, epoch: int) -> Path:
        """Read the file of ``epoch`` whole and return its path when its checksum is right.

        Raises
        ------
        DamagedFile
            The file is missing, truncated or altered.
        MeasurementError
            It was released.
        """
        entry = self.entry(epoch)
        if entry.released:
            kept = ", ".join(map(str, self.epochs())) or "none"
            raise MeasurementError(
                f"the checkpoint of epoch {epoch} was removed from {self.folder} by --clean (kept: {kept})"
            )
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
        self._write({**self.entries(), epoch: entry})

    def release(self, epochs: Iterable[int]) -> None:
        """Remove the files of ``epochs`` for good; that they had been there stays noted.

        It is noted first: whoever is interrupted in between has files too many, not too few.

        Raises
        ------
        StorageError
            The folder cannot be written.
        """
        entries, chosen = self.entries(), set(epochs)
        released = {
            epoch: replace(entry, released=True) for epoch, entry in entries.items() if epoch in chosen
        }
        self._write({**entries, **released})
        with storage_errors(self.folder):
            for entry in released.values():
                (self.folder / entry.file).unlink(missing_ok=True)

    def remove(self, epochs: Iterable[int]) -> None:
        """Remove the files of ``epochs``, and then all trace of them.

        Raises
        ------
        StorageError
            The folder cannot be written.
        """
        entries, chosen = self.entries(), set(epochs)
        with storage_errors(self.folder):
            for epoch in chosen:
                (self.folder / entries[epoch].file).unlink(missing_ok=True)
        self._write({epoch: entry for epoch, entry in entries.items() if epoch not in chosen})

    def forget_after(self, epoch: int) -> None:
        """Strike off the checkpoints after ``epoch``: training is about to make them anew."""
        entries = self.entries()
        kept = {number: entry for number, entry in entries.items() if number <= epoch}
        if len(kept) < len(entries):
            self._write(kept)

    def _write(self, entries: Mapping[int, CheckpointEntry]) -> None:
        write_json(self.path, {str(epoch): _plain(entries[epoch]) for epoch in sorted(entries)})

    def _sizes(self) -> dict[str, int]:
        """Name → bytes of every file in the folder: one look for all of them."""
        try:
            with os.scandir(self.folder) as files:
                return {file.name: file.stat().st_size for file in files if file.name[0] != "."}
        except OSError:
            return {}


def _plain(entry: CheckpointEntry) -> dict[str, Any]:
    optional = ("released", "score")
    return {name: value for name, value in asdict(entry).items() if name not in optional or value}


def _entry(fields: dict[str, Any]) -> CheckpointEntry:
    entry = CheckpointEntry(**{**fields, "score": tuple(map(float, fields.get("score", ())))})
    if "/" in entry.file or not isinstance(entry.bytes, int):
        raise ValueError(f"{fields} does not describe a checkpoint")
    return entry
