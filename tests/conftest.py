"""Fixtures for the whole suite."""

from __future__ import annotations

import os
import subprocess

import pytest

os.environ.setdefault("MPLBACKEND", "agg")
os.environ["LAYERSCOPE_CACHE"] = ""  # no test shall live from what another left
os.environ["OMP_NUM_THREADS"] = "1"  # tiny networks; and two test processes share the cores
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each process that is started would compile the package


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own with 4 MiB, which fills up for real."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"mounting a small tmpfs is refused here: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)
