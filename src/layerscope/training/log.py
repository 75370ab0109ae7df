"""``log.csv``: one row per epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from layerscope.errors import DamagedFile
from layerscope.files import write_atomic


@dataclass(frozen=True)
class EpochRow:
    """What one epoch gave. Epoch 0 is the initialisation: no training, so its training columns are nan.

    Accuracies are fractions; ``lr`` is that of the epoch's last step; ``seconds`` count the training alone.
    Without a validation split its two are None.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    test_loss: float
    test_accuracy: float
    lr: float
    seconds: float
    images_per_second: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None

    def score(self, *, by_loss: bool = False) -> tuple[float, ...]:
        """How good the epoch is on the validation split: its accuracy; of equal ones, its loss decides.

        With ``by_loss``, the loss alone. Empty without a validation split.
        """
        if self.validation_loss is None or self.validation_accuracy is None:
            return ()
        return (-self.validation_loss,) if by_loss else (self.validation_accuracy, -self.validation_loss)


_RESULTS = ("epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
_VALIDATION = ("validation_loss", "validation_accuracy")
_COURSE = ("lr", "seconds", "images_per_second")
COLUMNS = (*_RESULTS, *_COURSE)
COLUMNS_WITH_VALIDATION = (*_RESULTS, *_VALIDATION, *_COURSE)


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
        columns = tuple(lines[0]) if lines else ()
        if columns not in (COLUMNS, COLUMNS_WITH_VALIDATION):
            raise self._damage(f"its first line is not {','.join(COLUMNS)}")
        return [self._row(number, columns, line) for number, line in enumerate(lines[1:], start=2)]

    def append(self, row: EpochRow) -> None:
        """Add ``row``; rows of the same or a later epoch, left by an interrupted run, give way."""
        self._write([*(old for old in self.rows() if old.epoch < row.epoch), row])

    def truncate_after(self, epoch: int) -> None:
        """Forget the epochs after ``epoch``: they are about to be trained again."""
        rows = self.rows()
        kept = [row for row in rows if row.epoch <= epoch]
        if len(kept) < len(rows):
            self._write(kept)

    def _write(self, rows: Sequence[EpochRow]) -> None:
        columns = COLUMNS_WITH_VALIDATION if any(row.score() for row in rows) else COLUMNS
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([repr(getattr(row, name)) for name in columns] for row in rows)
        write_atomic(self.path, stream.getvalue())

    def _row(self, number: int, columns: Sequence[str], line: list[str]) -> EpochRow:
        try:
            epoch, *values = line
            return EpochRow(int(epoch), **dict(zip(columns[1:], map(float, values), strict=True)))
        except (ValueError, TypeError) as error:
            raise self._damage(f"line {number} is not a row of the log") from error

    def _damage(self, reason: str) -> DamagedFile:
        return DamagedFile(
            self.path, reason, "Move it away and run the same command again: a new log is begun."
        )
