"""Where data sets are looked for, and the error when none of the places has it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from http.client import HTTPException
from pathlib import Path

from layerscope.claim import waiting
from layerscope.errors import DataError

#: Names the folder that holds the data sets of everyone on this machine.
ENVIRONMENT = "LAYERSCOPE_DATA"

#: The folder, beside the data, that a process holds while it downloads, and the file that says it is done.
DOWNLOADS = ".downloads"
COMPLETE = "complete"

#: Seconds to wait for another process' download.
PATIENCE = 3600.0

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
    name: str,
    places: list[Path],
    missing: Missing,
    source: str,
    download: Callable[[Path], None] | None,
    root: Path | None = None,
) -> Path:
    """Find a set; when it is nowhere and ``download`` is given, call that first, then look again.

    Runs that want the same set at once fetch it once: the others wait. ``download`` is given the folder to
    put it in, the first of those that ``root`` and the environment name.
    """
    if download is not None:
        into = bases(root)[0]
        claim = into / DOWNLOADS
        # in this order: what was torn at the first look is whole once nothing is under way
        if all(missing(place) for place in places) or _under_way(claim):
            with waiting(claim, PATIENCE):
                (claim / COMPLETE).unlink(missing_ok=True)
                if all(missing(place) for place in places):
                    _fetched(name, into, download)
                (claim / COMPLETE).touch()
    return find(name, places, missing, source)


def _under_way(claim: Path) -> bool:
    """Whether somebody downloads into the folder of ``claim``, or died over it."""
    return claim.exists() and not (claim / COMPLETE).exists()


def _fetched(name: str, into: Path, download: Callable[[Path], None]) -> None:
    try:
        download(into)
    except (OSError, RuntimeError, HTTPException) as error:
        raise DataError(
            f"{name} could not be downloaded: {error}. Check the network of this machine, or "
            "bring the files from another one and let Data.root name their folder."
        ) from error


def _state(place: Path, lacking: list[str]) -> str:
    if not place.is_dir():
        return "no such folder"
    return f"without {', '.join(lacking)}"
