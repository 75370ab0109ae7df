"""Which run folders exist, found with one look into each folder above them."""

from __future__ import annotations

import os
from collections.abc import Sequence

from layerscope.run_folder import RunFolder


def existing(runs: Sequence[RunFolder]) -> list[RunFolder]:
    """The runs whose folder is there. Ten thousand that are not cost next to nothing."""
    listed: dict[str, frozenset[str]] = {}
    found = []
    for run in runs:
        parent, name = os.path.split(str(run.folder))
        if parent not in listed:
            listed[parent] = _names_in(parent or ".")
        if name in listed[parent]:
            found.append(run)
    return found


def _names_in(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208  # names only, of ten thousand
    except OSError:
        return frozenset()
