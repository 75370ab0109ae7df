"""``log.csv``: one row per epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path

from layerscope.errors import DamagedFile
from layerscope.files import write_atomic


@dataclass(frozen=True)
class EpochRow:
    """What one epoch gave. Epoch 0 is the initialisation: no training, so its training columns are nan.

    Accuracies are fractions; ``lr`` is that of the epoch's last step; ``seconds`` count the training alone.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    lr: float
    seconds: float
    images_per_second: float


COLUMNS = tuple(field.name for field in fields(EpochRow))


class EpochLog:
    """The log of one run, rewritten whole at each row so that it is never torn."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rows(self) -> list[EpochRow]:
        """Every row so far, in order.

        Raises
        ------
        DamagedFile
            A line is not a row of a log.
        """
        try:
            lines = list(csv.reader(io.StringIO(self.path.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise self._damage(f"it cannot be read ({error})") from error
        if not lines or tuple(lines[0]) != COLUMNS:
            raise self._damage(f"its first line is not {','.join(COLUMNS)}")
        return [self._row(number, line) for number, line in enumerate(lines[1:], start=2)]

    def append(self, row: EpochRow) -> None:
        """Add ``row``; rows of the same or a later epoch, left by an interrupted run, give way."""
        self._write([*(old for old in self.rows() if old.epoch < row.epoch), row])

    def truncate_after(self, epoch: int) -> None:
        """Forget the epochs after ``epoch``: they are about to be trained again."""
        rows = self.rows()
        kept = [row for row in rows if row.epoch <= epoch]
        if len(kept) < len(rows):
            self._write(kept)

    def _write(self, rows: Iterable[EpochRow]) -> None:
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([repr(getattr(row, name)) for name in COLUMNS] for row in rows)
        write_atomic(self.path, stream.getvalue())

    def _row(self, number: int, line: list[str]) -> EpochRow:
        try:
            epoch, *values = line
            return EpochRow(int(epoch), *map(float, values))
        except (ValueError, TypeError) as error:
            raise self._damage(f"line {number} is not a row of the log") from error

    def _damage(self, reason: str) -> DamagedFile:
        return DamagedFile(
            self.path, reason, "Move it away and run the same command again: a new log is begun."
        )
