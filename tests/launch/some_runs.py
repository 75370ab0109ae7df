"""Runs that differ in nothing but their folders, and that nobody trains."""

from __future__ import annotations

from pathlib import Path

from layerscope.config import parse_config
from layerscope.run import Run


def config_with(**slurm):
    return parse_config(
        {
            "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
            "Data": {"dataset-id": "digits"},
            "Optimizer": {"lr": 0.1, "epochs": 2},
            "Logging": {"save-dir": "unused", "log-epochs": [0, 2], "trackers": []},
            "Slurm": slurm,
        },
        source="test",
    )


def runs_with(count, prefix="run", base=Path("/base"), **slurm):
    """``prefix_0``, ``prefix_1``, … in ``base``, with these keys of the section ``Slurm``."""
    config = config_with(**slurm)
    names = [f"{prefix}_{number}" for number in range(count)]
    return [Run(config, base / name, name) for name in names]
