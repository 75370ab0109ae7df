"""What submitit left of jobs that are over. What they said stays, and so does what was submitted."""

from __future__ import annotations

from pathlib import Path

from layerscope.files import storage_errors
from layerscope.launch.cleaning.removal import Removal, size_of
from layerscope.launch.slurm.queue import queue_entries
from layerscope.launch.submission.array_folder import ID, JOBS

_PICKLES = "*.pkl*"


def plan_jobs(base: Path) -> Removal:
    """The pickles of arrays of which no job waits or runs."""
    arrays = {found.parent: found.read_text(encoding="utf-8").strip() for found in _ids(base)}
    pickles = {folder: sorted(folder.glob(_PICKLES)) for folder in arrays}
    asked = {job for folder, job in arrays.items() if pickles[folder]}
    waiting = queue_entries(asked) if asked else {}
    if waiting is None:
        return Removal(JOBS, left="Slurm does not say which jobs are over")
    busy = {job.partition("_")[0] for job in waiting}
    files = [path for folder, job in arrays.items() if job not in busy for path in pickles[folder]]
    return Removal(JOBS, tuple(files), size_of(files))


def clean_jobs(plan: Removal) -> Removal:
    """Remove what was planned.

    Raises
    ------
    StorageError
        The file system refused.
    """
    for path in plan.files:
        with storage_errors(path):
            path.unlink(missing_ok=True)
    return plan


def _ids(base: Path) -> list[Path]:
    return sorted((base / JOBS).glob(f"*/{ID}"))
