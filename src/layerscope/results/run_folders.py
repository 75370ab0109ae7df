"""The run folders below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PAIRS_FILE = "pairs.npz"
"""Pairs of test and train images of a run; :mod:`layerscope.results.stored_pairs` reads it."""

_RECORD = "run.json"
_LOG = "log.csv"
_TABLES = "measurements"


def run_folders(base: Path) -> list[Path]:
    """The folders at any depth below ``base`` (or ``base`` itself) that hold a run, sorted."""
    return list(_walk(base))


def _walk(base: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(base):
        if "config.yaml" in files and (_RECORD in files or _LOG in files or _TABLES in folders):
            folders.clear()  # runs do not hold runs
            yield Path(place)
        else:
            folders[:] = sorted(name for name in folders if not name.startswith("."))
