"""The word "queued" in the status of every run of an array that Slurm took."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from layerscope.launch.arrays.workload import Workload
from layerscope.provenance import now
from layerscope.status import StageStatus, StatusFile


def mark_queued(workload: Workload, job: str) -> None:
    """Say of every run of the array ``job`` that it is queued, unless its job is already at work."""
    time = now()
    for index, folders in workload.tasks.items():
        for folder in folders:
            _mark(StatusFile(Path(folder), workload.stage), f"{job}_{index}", time)


def _mark(file: StatusFile, job: str, time: str) -> None:
    before = file.read() or StageStatus("new")
    if before.job == job:  # it has started, or even ended
        return
    file.write(
        replace(before, state="queued", reason="", job=job, host="", pid=0, queued=time, started="", ended="")
    )
