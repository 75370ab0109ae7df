"""Writes the report of an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from layerscope.errors import UsageError
from layerscope.files import write_atomic
from layerscope.plotting.report.contents import contents_of
from layerscope.plotting.report.page import page
from layerscope.plotting.report.reported_run import ReportedRun

NAME = "report.html"


def write_report(base: Path, runs: Sequence[ReportedRun], source: Path | None = None) -> Path:
    """Write ``report.html`` into ``base`` in one step; it needs no network and no other file.

    Parameters
    ----------
    base
        The folder that the runs lie in.
    runs
        In the order of the report.
    source
        The config that describes them; its opening comments become the introduction.

    Raises
    ------
    UsageError
        There is no run.
    StorageError
        The file system refused.
    """
    if not runs:
        raise UsageError("there is no run to report on")
    write_atomic(base / NAME, page(contents_of(base, runs, source)))
    return base / NAME
