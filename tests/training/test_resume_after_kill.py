"""The promise of design.md §4: a resumed run ends with the bits of an uninterrupted one."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from layerscope.config import dump_yaml

pytestmark = pytest.mark.slow

DRIVER = Path(__file__).with_name("kill_driver.py")
KILLS = 12


@pytest.fixture(scope="module")
def runs(tmp_path_factory, config_of):
    """One run in peace and one that was killed twelve times."""
    folder = tmp_path_factory.mktemp("kills")
    config = config_of(
        Data={"subset": 500, "batch-size": 128},
        Optimizer={"epochs": 40, "warmup-epochs": 2.0, "weight-decay": 5e-4},
        Logging={"log-epochs": list(range(0, 41, 4))},
    )
    (folder / "config.yaml").write_text(dump_yaml(config.resolved()))
    command = [sys.executable, DRIVER, folder / "config.yaml", folder, str(KILLS), "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stderr

    return folder, json.loads(done.stdout)


def timeless(path):
    return [line.split(",")[:-2] for line in path.read_text().splitlines()]


def test_the_kills_fell_into_training(runs):
    _, story = runs
    assert story["killed"] == KILLS
    # The log may be one epoch ahead of the point to resume from.
    assert all(later >= earlier - 1 for earlier, later in itertools.pairwise(story["epochs"]))
    assert 0 < story["epochs"][-1] < 40
    assert len(set(story["epochs"])) >= 4


def test_killed_runs_end_with_the_same_bytes(runs):
    folder, _ = runs
    whole, killed = folder / "whole" / "checkpoints", folder / "killed" / "checkpoints"
    names = sorted(path.name for path in whole.glob("*.safetensors"))
    assert len(names) == 11
    for name in [*names, "manifest.json"]:
        assert (whole / name).read_bytes() == (killed / name).read_bytes(), name
    assert sorted(path.name for path in killed.iterdir()) == sorted(path.name for path in whole.iterdir())


def test_killed_runs_end_with_the_same_log_but_for_its_times(runs):
    folder, _ = runs
    whole, killed = (timeless(folder / name / "log.csv") for name in ("whole", "killed"))
    assert len(whole) == 42
    assert whole == killed
