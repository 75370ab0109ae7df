"""Drawing the figures of a hundred runs with the ordinary command, two at a time."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml
from pairs import Comparison

import layerscope as ls
from layerscope.config import dump_yaml
from layerscope.plotting.freshness import drawable, plot_paths
from layerscope.plotting.registry import FIGURES

LAYERSCOPE = Path(sys.executable).with_name("layerscope")
RUNS, WORKERS = 100, 2
BOUND = 60.0
MATRIX = {
    "Model": {"model-name": "mlp_small", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 128},
    "Optimizer": {"epochs": 5, "weight-decay": 5e-4},
    "Logging": {"save-dir": "runs", "log-epochs": [0, 1, 2, 3, 4, 5], "trackers": []},
    "Measurements": {"measures": "Fast"},
    "Matrix": {"Run": {"run": list(range(RUNS))}},
}


def run() -> list[Comparison]:
    """Compare the plot stage of all runs, measured with the group Fast, with its bound."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        figures = prepare(place)
        began = time.monotonic()
        flags = ["-c", "m.yaml", "-m", "--stages", "plot", "--workers", str(WORKERS), "--quiet"]
        subprocess.run([LAYERSCOPE, *flags], cwd=place, check=True, timeout=3600, stdout=subprocess.DEVNULL)
        seconds = time.monotonic() - began
    name = f"{figures} figures of {RUNS} runs as PDF and PNG, {WORKERS} workers / {BOUND:g} s"
    return [Comparison(name, [seconds], [BOUND], bound=1.0)]


def prepare(place: Path, runs: int = RUNS) -> int:
    """Run folders with the tables of one that was trained; how many figures each will have."""
    content = {**MATRIX, "Logging": {**MATRIX["Logging"], "save-dir": str(place / "runs")}}
    content["Matrix"] = {"Run": {"run": list(range(runs))}}
    (place / "m.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    first, *others = ls.Experiment.from_yaml(place / "m.yaml", matrix=True).runs
    first.train(device="cpu")
    first.measure(device="cpu")
    for other in others:
        other.folder.mkdir(parents=True)
        (other.folder / "config.yaml").write_text(dump_yaml(other.config.resolved()), encoding="utf-8")
        shutil.copy(first.folder / "log.csv", other.folder)
        shutil.copytree(first.folder / "measurements", other.folder / "measurements")
    possible = drawable(first.folder, FIGURES)
    assert not any(path.exists() for name in possible for path in plot_paths(first.folder, name))
    return len(possible)


if __name__ == "__main__":
    for comparison in run():
        print(comparison.row())
