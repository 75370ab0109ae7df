"""Drawing a hundred runs of a matrix with the ordinary command, two at a time; and all figures of a run."""

from __future__ import annotations

import resource
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
from layerscope.plotting.freshness import drawable
from layerscope.plotting.matrix.registry import MATRIX_FIGURES
from layerscope.plotting.registry import FIGURES

LAYERSCOPE = Path(sys.executable).with_name("layerscope")
RUNS, WORKERS = 100, 2
BOUND = 60.0
MATRIX = {
    "Model": {"model-name": "mlp_small", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 128},
    "Optimizer": {"lr": 0.05, "epochs": 5, "weight-decay": 5e-4},
    "Logging": {"save-dir": "runs", "log-epochs": [0, 1, 2, 3, 4, 5], "trackers": []},
    "Measurements": {"measures": "Fast"},
    "Matrix": {"Run": {"run": list(range(RUNS))}},
}
COMMAND = ("-c", "m.yaml", "-m", "--quiet")


def run() -> list[Comparison]:
    """Compare the plot stage of all runs, measured with Fast, with its bound; print what all figures cost."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        figures = prepare(place)
        _call(place, "--figures", *MATRIX_FIGURES, check=False)  # once for all runs: no part of the bound
        seconds = _call(place, "--stages", "plot", "--workers", str(WORKERS))
        drawn = len(list((place / "runs").glob("run_*/plots/Overview.png")))
        assert drawn == RUNS, drawn
        name = f"overviews of {RUNS} runs by the plot stage, {WORKERS} workers / {BOUND:g} s"
        print(all_figures(place, figures))
    return [Comparison(name, [seconds], [BOUND], bound=1.0)]


def all_figures(place: Path, figures: int, runs: int = 2) -> str:
    """A row about drawing every figure of some runs, as PDF and PNG, with what follows for a hundred."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    of_these = [flag for run in range(runs) for flag in ("--only", f"run_{run}")]
    _call(place, *of_these, "--stages", "plot", "--set", "Logging.figures=all")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    each = (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) / runs
    hundred = each * RUNS / WORKERS / 60
    cost = f"{each:.1f} CPU s, so {hundred:.0f} min for {RUNS} runs and {WORKERS} workers"
    return f"| all {figures} figures of a run as PDF and PNG: {cost} (extrapolated from {runs}) | | | | |"


def prepare(place: Path, runs: int = RUNS) -> int:
    """Run folders with the tables of one that was trained; how many figures there are of each."""
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
    assert not any((other.folder / "plots").exists() for other in (first, *others))
    return len(drawable(first.folder, FIGURES))


def _call(place: Path, *flags: str, check: bool = True) -> float:
    """Seconds of the command."""
    began = time.monotonic()
    command = [str(LAYERSCOPE), *COMMAND, *flags]
    subprocess.run(
        command, cwd=place, check=check, timeout=3600, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.monotonic() - began


if __name__ == "__main__":
    for comparison in run():
        print(comparison.row())
