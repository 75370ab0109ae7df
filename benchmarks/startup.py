"""How long the command line makes one wait before it does anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from pairs import Comparison, compare

LAYERSCOPE = Path(sys.executable).with_name("layerscope")


def run() -> list[Comparison]:
    """Compare ``layerscope --help`` with half a second."""
    return [compare("`layerscope --help` / 0.5 s", show_help, half_a_second, bound=1.0)]


def show_help() -> None:
    """Start the installed command and let it print its help."""
    subprocess.run([LAYERSCOPE, "--help"], stdout=subprocess.DEVNULL, check=True, timeout=60)


def half_a_second() -> None:
    """The bound itself."""
    subprocess.run(["sleep", "0.5"], check=True, timeout=60)
