"""``screen.csv``: a row per network, split and measure, or one that says why there is none."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from layerscope.errors import DamagedFile
from layerscope.files import write_atomic

FILE = "screen.csv"

NETWORK = ("model", "family", "architecture", "weights", "parameters", "inputs")
ACCURACY = ("accuracy_kind", "train_accuracy", "test_accuracy")
LAYER = ("layer", "layer_name", "layer_index", "dim")
NUMBER = ("split", "measure", "t", "value", "error", "ceiling", "reference", "unit", "samples")
COLUMNS = (*NETWORK, *ACCURACY, *LAYER, *NUMBER, "status", "message", "key")

FAILED = "failed"
LAST, TAP = "last", "tap"
"""What the column ``layer`` says: the input of the classifier, and any other."""

Row = Mapping[str, object]


class ScreenTable:
    """The table of a screening.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def read(self) -> dict[str, list[dict[str, str]]]:
        """Network → its rows, cells as they are written; empty when there is no table.

        Raises
        ------
        DamagedFile
            It is no such table.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        rows: dict[str, list[dict[str, str]]] = {}
        for row in self._parsed(content):
            rows.setdefault(row["model"], []).append(row)
        return rows

    def _parsed(self, content: bytes) -> list[dict[str, str]]:
        try:
            reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
            rows = list(reader)
        except (UnicodeDecodeError, csv.Error) as error:
            raise self._damaged(str(error)) from error
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise self._damaged("its columns are not those of a screening by this version")
        if any(None in row or None in row.values() for row in rows):
            raise self._damaged("a row has too many cells, or too few")
        return rows

    def _damaged(self, reason: str) -> DamagedFile:
        return DamagedFile(self.path, reason, "Delete it and run the same command again.")

    def write(self, rows: Iterable[Row]) -> None:
        """Put these rows in place of all."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)
        write_atomic(self.path, text.getvalue())


def is_known(rows: Sequence[Mapping[str, str]], key: str) -> bool:
    """Whether these are a network's numbers by the same key; what failed is tried again."""
    return bool(rows) and all(row["key"] == key and row["status"] != FAILED for row in rows)


def _cell(value: object) -> str:
    """A number as it reads back bit for bit, a text in one line."""
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else " ".join(str(value).split())
