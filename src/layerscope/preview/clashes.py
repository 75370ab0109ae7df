"""Runs whose folder holds a run of another config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from layerscope.errors import LayerscopeError
from layerscope.preview.contents import Finding
from layerscope.run_folder import ANOTHER_FOLDER, RunFolder

_SHOWN = 3


def clashes(runs: Iterable[RunFolder]) -> Iterator[Finding]:
    """One finding for each run that would be refused; runs whose folder is not there need no look."""
    for run in runs:
        if not run.recorded and (wrong := _clash(run)):
            yield Finding(wrong, (run.name,))


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
