"""The tables of one run: one CSV per measure, and a manifest that vouches for the rows of every epoch."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from layerscope.errors import DamagedFile
from layerscope.files import write_atomic
from layerscope.results.manifest import (
    Entry,
    Manifest,
    load_digests,
    load_manifest,
    read_whole,
    save_manifest,
)
from layerscope.results.parse import REMEDY, parse_table
from layerscope.results.rows import LATER, Row, columns_of, format_header, format_rows

if TYPE_CHECKING:
    from pandas import DataFrame

_DIGITS = 16
"""Of a SHA-256, how many the manifest keeps."""

_log = logging.getLogger(__name__)


class _Text(NamedTuple):
    """A table as stored: its header and the lines of each epoch."""

    header: bytes
    blocks: dict[str, bytes]


class TableStore:
    """The folder ``measurements`` of a run.

    A table is the rows that the manifest vouches for, by a digest per epoch. Tables are written before
    the manifest, and an epoch that is written again is struck off the manifest first: whenever the process
    is killed, an epoch either has its rows or counts as not measured.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, measure: str) -> Path:
        """Where the table of ``measure`` is kept."""
        return self.folder / f"{measure}.csv"

    def measures(self) -> list[str]:
        """Names of the measures that have a table, sorted."""
        return sorted(path.stem for path in self.folder.glob("[!.]*.csv"))

    def computed(self, measure: str) -> dict[int, str]:
        """Epoch → key of the epochs whose rows are stored intact.

        A missing table has none. Damaged rows are named in a warning and count as not measured.
        """
        entries = self._manifest().get(measure, {})
        text = _read_text(self.path(measure))
        intact = _intact(text, entries)
        if text is not None and len(intact) < len(entries):
            damaged = sorted(set(entries) - set(intact))
            _log.warning(
                "%s: rows of epoch %s are damaged; they will be measured anew", self.path(measure), damaged
            )
        return {epoch: entry["key"] for epoch, entry in intact.items()}

    def splits(self, measure: str) -> frozenset[str]:
        """The splits among the rows of ``measure``; reads no table when the manifest knows."""
        entries = self._manifest().get(measure, {})
        if entries:
            return frozenset(split for entry in entries.values() for split in entry["splits"])
        text = _read_text(self.path(measure))
        blocks = text.blocks.values() if text is not None else ()
        return frozenset(split for block in blocks for split in _splits(block))

    def replace(self, measure: str, epoch: int, rows: Sequence[Row], key: str) -> None:
        """Store ``rows`` as the whole content of ``measure`` at ``epoch`` (see :meth:`replace_all`)."""
        self.replace_all(epoch, {measure: rows}, key)

    def replace_all(self, epoch: int, tables: Mapping[str, Sequence[Row]], key: str) -> None:
        """Store the rows of several measures at one epoch.

        Parameters
        ----------
        epoch
            The checkpoint; rows may carry it or leave it out.
        tables
            Measure → rows.
        key
            Whatever identifies checkpoint and settings; :meth:`computed` gives it back.

        Raises
        ------
        ValueError
            Rows that are no table: none, of differing columns, twice the same key, of another epoch.
        DamagedFile
            The stored table has other columns than ``rows``.
        """
        manifest = self._manifest()
        texts = {name: self._with_epoch(name, epoch, rows, manifest) for name, rows in tables.items()}
        self._strike_off(manifest, epoch, tables)
        for name, text in texts.items():
            write_atomic(self.path(name), text.header + b"".join(text.blocks.values()))
            manifest.setdefault(name, {})[epoch] = _entry(text, epoch, key)
        save_manifest(self._manifest_path, manifest)

    def drop_stale(self, measure: str, keep: Mapping[int, str]) -> list[int]:
        """Remove every epoch that is not in ``keep`` with that very key; the epochs removed."""
        manifest = self._manifest()
        entries = manifest.get(measure, {})
        kept = {epoch: entry for epoch, entry in entries.items() if keep.get(epoch) == entry["key"]}
        stale = sorted(set(entries) - set(kept))
        if stale:
            text = _read_text(self.path(measure))
            save_manifest(self._manifest_path, {**manifest, measure: kept})
            self._write_kept(measure, text, kept)
        return stale

    def read(self, measure: str, *, categories: bool = False) -> DataFrame | None:
        """The table, floats as they were written; None when there is none.

        Parameters
        ----------
        categories
            As of :func:`~layerscope.results.parse.parse_table`.

        Raises
        ------
        DamagedFile
            The file is torn, garbled or edited.
        """
        text = self.text(measure)
        return None if text is None else parse_table(self.path(measure), text, categories=categories)

    def text(self, measure: str, epochs: Collection[int] | None = None) -> bytes | None:
        """The table as it is stored: every row that the manifest vouches for; None when there is none.

        Parameters
        ----------
        epochs
            Only the rows of these; None is all.

        Raises
        ------
        DamagedFile
            The file is torn, garbled or edited.
        """
        content = read_whole(self.path(measure))
        if content is None:
            return None
        digests = load_digests(self._manifest_path, measure)
        if digests is None:  # a table from elsewhere: nothing vouches for it
            return _joined(_split(content), epochs)
        spans = _spans_as_written(content, digests)
        if spans is not None:
            return content if epochs is None else _cut(content, spans, epochs)
        return _joined(self._checked(measure, _split(content), digests), epochs)

    def _checked(self, measure: str, text: _Text, digests: Mapping[int, str]) -> _Text:
        """Only what the manifest vouches for; all of that must be there."""
        for epoch in sorted(digests):
            if _digest(text, epoch) != digests[epoch]:
                wrong = f"the rows of epoch {epoch} are not those that were written"
                raise DamagedFile(self.path(measure), wrong, REMEDY)
        return _Text(text.header, {str(epoch): text.blocks[str(epoch)] for epoch in sorted(digests)})

    @property
    def _manifest_path(self) -> Path:
        return self.folder / "manifest.json"

    def _manifest(self) -> Manifest:
        return load_manifest(self._manifest_path)

    def _with_epoch(self, measure: str, epoch: int, rows: Sequence[Row], manifest: Manifest) -> _Text:
        """The stored table with the rows of ``epoch`` put in; lines nobody vouches for are left out."""
        columns = columns_of(measure, rows)
        text = _read_text(self.path(measure))
        intact = set(_intact(text, manifest.get(measure, {}))) - {epoch}
        if text is not None and intact:
            columns = self._agreed_columns(measure, text.header, columns)
        blocks = {number: text.blocks[str(number)] for number in intact} if text is not None else {}
        blocks[epoch] = format_rows(measure, epoch, rows, columns)
        return _Text(format_header(columns), {str(number): blocks[number] for number in sorted(blocks)})

    def _agreed_columns(self, measure: str, header: bytes, columns: tuple[str, ...]) -> tuple[str, ...]:
        stored = tuple(header.decode().strip().split(","))
        if set(columns) - {*LATER} <= set(stored) <= set(columns):
            return stored  # begun by an earlier version, it goes on without what came later
        raise DamagedFile(
            self.path(measure),
            f"its columns are {', '.join(stored)}, but this version writes {', '.join(columns)}",
            "Delete it and run the same command again; it will be measured anew.",
        )

    def _strike_off(self, manifest: Manifest, epoch: int, measures: Mapping[str, object]) -> None:
        """Take back what was said about ``epoch`` before its rows are overwritten."""
        struck = [measure for measure in measures if manifest.get(measure, {}).pop(epoch, None)]
        if struck:
            save_manifest(self._manifest_path, manifest)

    def _write_kept(self, measure: str, text: _Text | None, kept: Mapping[int, Entry]) -> None:
        if text is not None and kept:
            blocks = (text.blocks.get(str(epoch), b"") for epoch in sorted(kept))
            write_atomic(self.path(measure), text.header + b"".join(blocks))
        else:
            self.path(measure).unlink(missing_ok=True)


def _read_text(path: Path) -> _Text | None:
    content = read_whole(path)
    return None if content is None else _split(content)


def _split(content: bytes) -> _Text:
    """A table as header and lines by epoch, which is the first cell of a line."""
    header, newline, body = content.partition(b"\n")
    blocks: dict[str, bytes] = {}
    for epoch, lines in groupby(body.splitlines(keepends=True), key=lambda line: line.partition(b",")[0]):
        name = epoch.decode(errors="replace")
        blocks[name] = blocks.get(name, b"") + b"".join(lines)
    return _Text(header + newline, blocks)


def _spans_as_written(content: bytes, digests: Mapping[int, str]) -> dict[int, slice] | None:
    """Epoch → its lines, in order, for a table that is just what the manifest says; None for any other.

    It takes no look at every line, so that a thousand tables are checked in no time: an epoch has about as
    many bytes as the one before, so its end is looked for near there. Where that misses, the digests tell.
    """
    if not digests:
        return None
    epochs, begins, length = sorted(digests), [content.find(b"\n") + 1], 0
    for epoch in epochs[1:]:
        begins.append(content.find(b"\n%d," % epoch, begins[-1] + length * 4 // 5) + 1)
        length = begins[-1] - begins[-2]
    spans = dict(zip(epochs, map(slice, begins, [*begins[1:], len(content)]), strict=True))
    header = content[: begins[0]]
    for epoch, span in spans.items():
        if hashlib.sha256(header + content[span]).hexdigest()[:_DIGITS] != digests[epoch]:
            return None
    return spans


def _cut(content: bytes, spans: Mapping[int, slice], epochs: Collection[int]) -> bytes:
    """The header and the lines of the named epochs."""
    chosen = (content[span] for epoch, span in spans.items() if epoch in epochs)
    return content[: content.find(b"\n") + 1] + b"".join(chosen)


def _joined(text: _Text, epochs: Collection[int] | None) -> bytes:
    """The lines of the named epochs below their header; None is all."""
    names = text.blocks if epochs is None else {str(epoch) for epoch in epochs}
    return text.header + b"".join(block for name, block in text.blocks.items() if name in names)


def _intact(text: _Text | None, entries: Mapping[int, Entry]) -> dict[int, Entry]:
    if text is None:
        return {}
    return {epoch: entry for epoch, entry in entries.items() if _digest(text, epoch) == entry["digest"]}


def _digest(text: _Text, epoch: int) -> str:
    return hashlib.sha256(text.header + text.blocks.get(str(epoch), b"")).hexdigest()[:_DIGITS]


def _entry(text: _Text, epoch: int, key: str) -> Entry:
    return {"key": key, "digest": _digest(text, epoch), "splits": _splits(text.blocks[str(epoch)])}


def _splits(block: bytes) -> list[str]:
    return sorted({line.split(b",", 2)[1].decode() for line in block.splitlines() if b"," in line})
