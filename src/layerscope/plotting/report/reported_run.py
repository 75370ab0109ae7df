"""A run as the report is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from layerscope.config import Config


@dataclass(frozen=True)
class ReportedRun:
    """A run, and how it stands.

    Parameters
    ----------
    name : str
    folder : Path
    config : Config
    axes : mapping
        Where it stands in its matrix: ``Section.key`` → value; empty for a run of its own.
    state : str
        The run in a word, as ``--status`` says it; "" when nobody asked.
    reason : str
        Why it is not done.
    """

    name: str
    folder: Path
    config: Config
    axes: Mapping[str, object] = field(default_factory=dict)
    state: str = ""
    reason: str = ""
