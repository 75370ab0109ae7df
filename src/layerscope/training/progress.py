"""What the person at the terminal sees of training."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from tqdm import tqdm

from layerscope.training.log import EpochRow


class Reporter(Protocol):
    """Told of every epoch, and of anything else worth a line."""

    def epoch(self, row: EpochRow) -> None:
        """An epoch is finished and saved."""

    def message(self, text: str) -> None:
        """Something happened that is worth a line."""


class QuietReporter:
    """Says nothing."""

    def epoch(self, row: EpochRow) -> None:
        """Say nothing."""

    def message(self, text: str) -> None:
        """Say nothing."""


@dataclass
class ConsoleReporter:
    """A bar over the epochs on a terminal; one line per epoch anywhere else.

    Parameters
    ----------
    epochs
        The last epoch of the run.
    label
        What stands before the bar and before every line.
    """

    epochs: int
    label: str = "train"
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _bar: Any = field(default=None, init=False, repr=False)

    def epoch(self, row: EpochRow) -> None:
        """Move the bar, or write the line, of a finished epoch."""
        if not self.stream.isatty():
            self.message(describe(row, self.epochs))
            return
        if self._bar is None:
            self._bar = self._new_bar(row.epoch)
        self._bar.update(row.epoch - self._bar.n)
        self._bar.set_postfix_str(_results(row))
        if row.epoch >= self.epochs:
            self.close()

    def message(self, text: str) -> None:
        """Write a line, above the bar if there is one."""
        tqdm.write(f"{self.label}: {text}", file=self.stream)
        self.stream.flush()

    def _new_bar(self, epoch: int) -> Any:
        return tqdm(total=self.epochs, initial=epoch, desc=self.label, unit="epoch", file=self.stream)

    def close(self) -> None:
        """Leave the bar as it is and end its line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def describe(row: EpochRow, epochs: int) -> str:
    """One line about one epoch: ``epoch 3/30  train …  test …``."""
    width = len(str(epochs))
    head = f"epoch {row.epoch:{width}d}/{epochs}"
    if row.epoch == 0:
        return f"{head}  {_results(row)}"
    speed = f"{row.seconds:.1f} s ({row.images_per_second:,.0f} images/s)"
    return f"{head}  {_results(row)}, lr {row.lr:.3g}, {speed}"


def _results(row: EpochRow) -> str:
    splits = {
        "train": (row.train_loss if row.epoch else None, row.train_accuracy),
        "validation": (row.validation_loss, row.validation_accuracy),
        "test": (row.test_loss, row.test_accuracy),
    }
    return "; ".join(
        f"{name} loss {loss:.4g}, accuracy {accuracy:.2%}"
        for name, (loss, accuracy) in splits.items()
        if loss is not None
    )
