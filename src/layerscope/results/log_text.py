"""Logs of training as they are stored."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from layerscope.results.gather import Layout
from layerscope.results.rows import EPOCH

LOG = Layout(whole=(EPOCH,), floats=("train_accuracy", "test_accuracy"), others="floats")


def log_text(run_folder: Path, epochs: Collection[int] | None = None) -> bytes | None:
    """The text of ``log.csv``; None when there is none.

    Parameters
    ----------
    epochs
        Only the rows of these; None is all.
    """
    try:
        text = (run_folder / "log.csv").read_bytes()
    except FileNotFoundError:
        return None
    if epochs is None:
        return text
    header, *lines = text.splitlines(keepends=True) or [b""]
    return header + b"".join(line for line in lines if _epoch(line) in epochs)


def _epoch(line: bytes) -> int:
    cell = line.partition(b",")[0]
    return int(cell) if cell.isdigit() else -1
