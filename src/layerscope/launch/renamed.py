"""Runs that are there already, under another name: a number or an id of the matrix was spelt differently."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from layerscope.results.run_folders import run_folders
from layerscope.run_folder import RunFolder, read_record

_SHOWN = 3

Renamed = tuple[RunFolder, Path]
"""A run that has no folder yet, and the folder that holds a run of the same config."""


def renamed(base: Path, new: Sequence[RunFolder], known: Sequence[RunFolder]) -> list[Renamed]:
    """Those of ``new``, which have no folder, whose config has a folder of another name below ``base``.

    Quick where there is nothing: the files of folders that are not ``known`` are read, and only when there
    is any, the runs are looked at one by one.
    """
    if not new or not base.is_dir():
        return []
    ours = {run.folder for run in known}
    others = [folder for folder in run_folders(base) if folder not in ours]
    by_hash = {read_record(folder / "run.json").get("hash"): folder for folder in others}
    if not by_hash:
        return []
    found = [(run, by_hash[run.config.hash]) for run in new if run.config.hash in by_hash]
    return [(run, folder) for run, folder in found if _is_another_spelling(run, folder)]


def _is_another_spelling(run: RunFolder, folder: Path) -> bool:
    """Not the run of the same name in a dated subfolder, nor one that is to be measured otherwise."""
    name = Path(run.name).parts
    return folder.parts[-len(name) :] != name and run.measures_alike(folder)


def renamed_text(found: Sequence[Renamed]) -> str:
    """What to tell a person about them."""
    shown = ", ".join(f"{run.name} is there as {folder}" for run, folder in found[:_SHOWN])
    more = f", and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return (
        f"the same config has been run under another name and would be run anew: {shown}{more}. To keep the "
        "results, rename the folder, or spell the values as they were"
    )
