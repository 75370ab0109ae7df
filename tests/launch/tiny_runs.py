"""Runs on the digits that take a second or, with many epochs, as long as one lets them."""

from __future__ import annotations

import time
from pathlib import Path

from layerscope.config import parse_config
from layerscope.run import Run


def tiny_run(folder: Path, *, lr=0.05, epochs=2, measures=("CDNV", "Accuracy"), model="mlp_single", **slurm):
    """One run, whose folder is not there yet."""
    tree = {
        "Model": {"model-name": model, "embedding-layers": ["fc"]},
        "Data": {"dataset-id": "digits", "batch-size": 128},
        "Optimizer": {"lr": lr, "epochs": epochs},
        "Logging": {"save-dir": "unused", "log-epochs": [0, 1, 2], "trackers": []},
        "Measurements": {"measures": list(measures)},
        "Slurm": slurm,
    }
    return Run(parse_config(tree, source="test"), folder, folder.name)


def endless(folder: Path, **sections):
    """A run that is not finished before the test is."""
    return tiny_run(folder, epochs=100_000, **sections)


def diverging(folder: Path):
    """A run whose first epoch ends in NaN."""
    return tiny_run(folder, lr=1e9, model="mlp_small_nobn")


def wait_for(happened, seconds=120.0):
    """Wait until ``happened()``."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def results(run: Run) -> dict[str, bytes]:
    """Weights and tables."""
    paths = [*run.folder.glob("checkpoints/*.safetensors"), *run.folder.glob("measurements/*.csv")]
    return {path.name: path.read_bytes() for path in paths}
