"""Runs whose folder holds a run of another config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from layerscope.config import load_config
from layerscope.errors import LayerscopeError
from layerscope.preview.contents import Finding
from layerscope.run_folder import RunFolder, differences, read_record

_SHOWN = 3


def clashes(runs: Iterable[RunFolder]) -> Iterator[Finding]:
    """One finding for each run that would be refused; runs whose folder is not there need no look."""
    for run in runs:
        if read_record(run.record_path).get("hash") != run.config.hash and (wrong := _clash(run)):
            yield Finding(wrong, (run.name,))


def _clash(run: RunFolder) -> str:
    if not run.config_path.exists():
        return ""
    try:
        stored = load_config(run.config_path)
        if stored.hash == run.config.hash or not (run.checkpoints.epochs() or run.log_path.exists()):
            return ""
    except LayerscopeError as error:
        return f"{run.folder} holds a run that cannot be read: {str(error).splitlines()[-1].strip()}"
    lines = differences(stored.identity(), run.config.identity())
    more = f"; and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return (
        f"{run.folder} holds a run of another config (there → here): {'; '.join(lines[:_SHOWN])}{more}. "
        "Choose another Logging.save-dir, add --timestamp, or delete that folder"
    )
