"""A preview creates nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import yaml

from layerscope.preview.preview import preview

MODEL = """
from torch import nn

print("building")


def build(shape, num_classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], num_classes))
"""

LOOK = """
import sys
from pathlib import Path
from layerscope.config import load_matrix
from layerscope.preview.plain import as_json
from layerscope.preview.preview import preview
from layerscope.preview.text import as_text
from layerscope.preview.tracer import BackgroundTracer
from layerscope.run import Run

with BackgroundTracer() as ask:
    cells = load_matrix("matrix.yaml")
    runs = [Run(cell.config, Path("logs") / cell.name, cell.name, cell.axes) for cell in cells]
    seen = preview(runs, Path("logs"), slurm=True, ask=ask)
    as_text(seen)
    print(as_json(seen))
"""


def tree_of(folder):
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in sorted(folder.rglob("*"))
    }


def test_nothing_is_created_or_touched(experiment, here):
    (here / "own_model_of_trace.py").write_text(MODEL)
    made = experiment(
        Model={"model-name": "own_model_of_trace:build", "embedding-layers": ["1"]},
        Matrix={"Optimizer": {"lr": [0.05, 0.1]}},
    )
    made.runs[0].claim_config()
    before = tree_of(here)
    for slurm in (False, True):
        seen = preview(made.runs, made.base, slurm=slurm)
        assert seen.models[0].layers
    assert tree_of(here) == before


def test_it_works_in_a_folder_that_cannot_be_written_to(small_disk):
    sections = {
        "Model": {"model-name": "own_model:build", "embedding-layers": ["1"]},
        "Data": {"dataset-id": "digits"},
        "Optimizer": {"epochs": 1, "lr": 0.1},
        "Logging": {"save-dir": "logs", "log-epochs": [1]},
        "Matrix": {"Run": {"run": [0, 1]}},
    }
    (small_disk / "matrix.yaml").write_text(yaml.safe_dump(sections))
    (small_disk / "own_model.py").write_text(MODEL)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    before = tree_of(small_disk)
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=small_disk,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"parameters": 650' in done.stdout
    assert "cannot be written to" in done.stdout
    assert tree_of(small_disk) == before
