"""Running Slurm's commands: each has a time-out, none may be missing without a word."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from typing import NamedTuple

SECONDS = 20.0
"""How long an answer may take."""

_FILTERS = ("SQUEUE_", "SACCT_", "SCANCEL_")
"""Beginnings of variables by which users set their own defaults, as for filters."""


class Answer(NamedTuple):
    """What a command wrote and how it ended."""

    code: int
    output: str
    errors: str


def ask(*command: str, seconds: float | None = None) -> Answer | None:
    """The answer of one of Slurm's commands; None when there is no such command, or no answer in time."""
    try:
        answer = subprocess.run(
            command,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds or SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Answer(answer.returncode, answer.stdout, answer.stderr)


def portions(items: Sequence[str], size: int = 1000) -> Iterator[Sequence[str]]:
    """``items`` in parts that fit on a command line."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_FILTERS)}
