"""Runs whose folder holds a run of another config, and runs that lie in a folder of another name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from layerscope.errors import LayerscopeError
from layerscope.launch.renamed import renamed, renamed_text
from layerscope.preview.contents import Finding
from layerscope.run_folder import ANOTHER_FOLDER, RunFolder

_SHOWN = 3


def clashes(runs: Iterable[RunFolder]) -> Iterator[Finding]:
    """One finding for each run that would be refused; runs whose folder is not there need no look."""
    for run in runs:
        if not run.recorded and (wrong := _clash(run)):
            yield Finding(wrong, (run.name,))


def renamed_warnings(base: Path, runs: Sequence[RunFolder], begun: Sequence[RunFolder]) -> list[Finding]:
    """One finding for all runs that would be done anew because their names are spelt differently."""
    if len(begun) == len(runs):
        return []
    there = set(map(id, begun))
    found = renamed(base, [run for run in runs if id(run) not in there], begun)
    return [Finding(renamed_text(found), tuple(run.name for run, _ in found))] if found else []


def _clash(run: RunFolder) -> str:
    try:
        lines = run.clash()
    except LayerscopeError as error:
        return f"{run.folder} holds a run that cannot be read: {str(error).splitlines()[-1].strip()}"
    if not lines:
        return ""
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return (
        f"{run.folder} holds a run of another config (there → here): {'; '.join(lines[:_SHOWN])}{more}. "
        f"{ANOTHER_FOLDER}"
    )
