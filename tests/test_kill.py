"""A run that is killed again and again ends with the bits of one that never was."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
import time
from pathlib import Path

import pandas
import pytest
import yaml

pytestmark = pytest.mark.slow

KILLS = 10
CONFIG = {
    "Model": {"model-name": "mlp_small", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 64},
    "Optimizer": {"lr": 0.05, "weight-decay": 5e-4, "epochs": 8, "optimizer": "sgd"},
    "Logging": {"log-epochs": [0, 1, 3, 5, 8], "trackers": []},
}


def train_and_measure(config: str, folder: str) -> None:
    import torch

    from layerscope.cli import main

    torch.set_num_threads(1)
    raise SystemExit(main(["-c", config, "--set", f"Logging.save-dir={folder}", "--no-plot", "--quiet"]))


@pytest.fixture(scope="module")
def context():
    """Processes that start with everything imported, so that kills land in the work and not in imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["layerscope.stages", "layerscope.experiment", "layerscope.console", "pandas"]
    )
    return context


def start(context, config: Path, folder: Path):
    process = context.Process(target=train_and_measure, args=(str(config), str(folder)))
    process.start()
    return process


def finish(context, config: Path, folder: Path) -> float:
    started = time.monotonic()
    process = start(context, config, folder)
    process.join(timeout=120)
    assert process.exitcode == 0
    return time.monotonic() - started


def kill_at_random(context, config: Path, folder: Path, delay: float) -> bool:
    """Whether the process was still at work when it was killed."""
    process = start(context, config, folder)
    process.join(timeout=delay)
    process.kill()
    process.join(timeout=30)
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def content(folder: Path) -> dict[str, bytes]:
    """Weights, tables and what the log says about learning (not about time)."""
    paths = [*folder.glob("checkpoints/*.safetensors"), *folder.glob("measurements/*.csv")]
    files = {path.name: path.read_bytes() for path in paths}
    log = pandas.read_csv(folder / "log.csv").drop(columns=["seconds", "images_per_second"])
    return {**files, "log.csv": log.to_csv(index=False).encode()}


def test_a_run_killed_at_random_moments_ends_with_the_bits_of_an_uninterrupted_one(context, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(yaml.safe_dump({**CONFIG, "Logging": {**CONFIG["Logging"], "save-dir": "unused"}}))
    finish(context, config, tmp_path / "warm up")
    seconds = finish(context, config, tmp_path / "whole")
    whole = content(tmp_path / "whole")
    assert {"epoch_0008.safetensors", "CDNV.csv", "NC1.csv", "NCC.csv", "log.csv"} <= whole.keys()

    folder, moments, kills = tmp_path / "killed", random.Random(20261122), 0
    while kills < KILLS:
        if kill_at_random(context, config, folder, moments.uniform(0.05, 0.4) * seconds):
            kills += 1
        else:  # it had come to its end before
            assert content(folder) == whole
            shutil.rmtree(folder)
    finish(context, config, folder)
    assert content(folder) == whole
    assert not list(folder.rglob("*.tmp"))
