"""Where data sets are looked for, and the error when none of the places has it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path

from layerscope.errors import DataError

#: Names the folder that holds the data sets of everyone on this machine.
ENVIRONMENT = "LAYERSCOPE_DATA"

#: From a folder to the names of the files that it lacks; empty when the data set is there.
Missing = Callable[[Path], list[str]]


def bases(root: Path | None) -> list[Path]:
    """Return the folders to look in, first to last: ``Data.root``, ``$LAYERSCOPE_DATA``, ``./data``."""
    named = [root, os.environ.get(ENVIRONMENT), "data"]
    return [Path(base).expanduser().absolute() for base in named if base]


def candidates(root: Path | None, subfolders: Iterable[str], extra: Iterable[str] = ()) -> list[Path]:
    """Return every folder a set may be in: each base itself and its ``subfolders``, then ``extra``."""
    inside = ("", *subfolders)
    below = [base / subfolder for base in bases(root) for subfolder in inside]
    return list(dict.fromkeys([*below, *map(Path, extra)]))


def find(name: str, places: Iterable[Path], missing: Missing, source: str) -> Path:
    """Return the first of ``places`` where nothing is ``missing``.

    Raises
    ------
    DataError
        None has it; the message names each place, what an incomplete one lacks, and ``source``.
    """
    tried = []
    for place in places:
        lacking = missing(place)
        if not lacking:
            return place
        tried.append(f"  {place} ({_state(place, lacking)})")
    raise DataError("\n".join([f"{name} was not found. Looked in:", *tried, source]))


def find_or_download(
    name: str, places: list[Path], missing: Missing, source: str, download: Callable[[], None] | None
) -> Path:
    """Find a set; when it is nowhere and ``download`` is given, call that first, then look again."""
    if download is not None and all(missing(place) for place in places):
        try:
            download()
        except (OSError, RuntimeError, HTTPException) as error:
            raise DataError(
                f"{name} could not be downloaded: {error}. Check the network of this machine, or "
                "bring the files from another one and let Data.root name their folder."
            ) from error
    return find(name, places, missing, source)


def _state(place: Path, lacking: list[str]) -> str:
    if not place.is_dir():
        return "no such folder"
    return f"without {', '.join(lacking)}"
