"""What the runs fill on the disk, and whether it is there to be filled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from layerscope.config import Config
from layerscope.preview.checkpoint_size import resume_bytes
from layerscope.preview.contents import Disk, Finding, RunPreview
from layerscope.preview.quantities import bytes_text
from layerscope.preview.question import Answer

_RESUME_POINTS = 2
"""The newest, and the one before it."""


def disk_bytes(config: Config, answer: Answer, checkpoints: int) -> int:
    """What a trained run fills: checkpoints and resume points. Tables and figures are small beside them."""
    point = resume_bytes(config.optimizer, answer.weight_bytes, answer.trainable_bytes)
    return checkpoints * answer.checkpoint_bytes + _RESUME_POINTS * point


def disk_of(runs: Sequence[RunPreview], base: Path) -> Disk:
    """What all runs fill, and what there is."""
    sizes = [run.disk_bytes for run in runs if run.disk_bytes]
    if not sizes:
        return Disk(free_bytes=_free_bytes(base))
    left = sum(run.left_bytes for run in runs)
    return Disk((min(sizes), max(sizes)), sum(sizes), left, _free_bytes(base))


def disk_problems(disk: Disk, base: Path) -> Iterable[Finding]:
    """Why results could not be written."""
    place = _nearest(base)
    if not place.is_dir():
        yield Finding(f"Logging.save-dir {base}: {place} is not a folder")
    elif not os.access(place, os.W_OK | os.X_OK):
        yield Finding(f"Logging.save-dir {base}: {place} cannot be written to")
    if disk.left_bytes > disk.free_bytes:
        yield Finding(
            f"the runs that are left fill {bytes_text(disk.left_bytes)}, but only "
            f"{bytes_text(disk.free_bytes)} are free on {place}; keep fewer epochs (Logging.log-epochs), or "
            "choose another Logging.save-dir"
        )


def _free_bytes(base: Path) -> int:
    return shutil.disk_usage(_nearest(base)).free


def _nearest(place: Path) -> Path:
    """The folder itself, or the closest one above it that exists."""
    absolute = place.expanduser().absolute()
    return next(path for path in (absolute, *absolute.parents) if os.path.lexists(path))
