"""The log of a worker: one file for each attempt, and a name that leads to the newest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from layerscope.files import storage_errors, temporary


def log_path(jobs: Path, stage: str) -> Path:
    """What leads to the newest log of a stage."""
    return jobs / f"{stage}.log"


def new_log(jobs: Path, stages: Sequence[str], attempt: int) -> Path:
    """The file for the next worker on ``stages``, to which their names now lead.

    It is called by the first of the stages and the number of the attempt.
    """
    path = jobs / f"{stages[0]}.{attempt}.log"
    with storage_errors(path):
        jobs.mkdir(parents=True, exist_ok=True)
        path.touch()
        for stage in stages:
            _lead(log_path(jobs, stage), path.name)
    return path


def last_lines(path: Path, count: int = 5) -> list[str]:
    """The last lines of a log that are not empty."""
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, path.stat().st_size - 16384))
            text = stream.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


def _lead(name: Path, target: str) -> None:
    beside = temporary(name)
    beside.unlink(missing_ok=True)
    os.symlink(target, beside)  # noqa: PTH211 -- relative, so that the folder can be moved
    beside.replace(name)
