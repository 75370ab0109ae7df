"""Where and with what a run was made: commit, host, versions."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import socket
import subprocess
import sys
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

from layerscope.version import __version__

_CPU_FACTS = Path("/proc/cpuinfo")
LIBRARIES = ("torch", "torchvision", "timm", "numpy", "safetensors", "pandas", "pydantic")


def now() -> str:
    """The time in UTC, to the second, in ISO 8601."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@functools.cache
def provenance() -> dict[str, Any]:
    """Version and commit of this package, host, Python and library versions, as first asked for.

    Git is asked once for all the runs of a process, and of its forks.
    """
    return {
        "layerscope": __version__,
        "git": git_state(Path(__file__).parent),
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        "command": sys.argv,
    }


@cache
def cpu_name() -> str:
    """The model of this host's processor; "" where nothing says it."""
    try:
        lines = _CPU_FACTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    pairs = (line.partition(":") for line in lines)
    named = (value.strip() for name, _, value in pairs if name.strip() == "model name")
    return next(named, "") or platform.processor()


def git_state(folder: Path) -> dict[str, Any] | None:
    """Commit and whether the tree differs from it; None outside a git checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None
    return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str:
    try:
        answer = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
