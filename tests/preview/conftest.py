"""Experiments to look ahead at."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from layerscope.config import expand_matrix
from layerscope.config.document import document_of
from layerscope.preview.preview import preview
from layerscope.run import Run

TREE = {
    "Model": {"model-name": "mlp_single", "embedding-layers": ["fc"]},
    "Data": {"dataset-id": "digits", "batch-size": 64},
    "Optimizer": {"lr": 0.05, "epochs": 2},
    "Logging": {"save-dir": "logs", "log-epochs": [0, 2], "trackers": []},
    "Measurements": {"measures": ["CDNV", "NC1"]},
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty working folder, on a machine without Slurm."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


@pytest.fixture
def experiment(here):
    """Sections (and ``Matrix``) → the runs and their base folder, as the command makes them of a file."""

    def made(**sections):
        tree = {name: {**TREE.get(name, {}), **sections.get(name, {})} for name in {**TREE, **sections}}
        cells = expand_matrix(document_of(tree, "test.yaml"))
        base = Path(cells[0].config.logging.save_dir)
        runs = [Run(cell.config, base / cell.name, cell.name or base.name, cell.axes) for cell in cells]
        return SimpleNamespace(runs=runs, base=base)

    return made


@pytest.fixture
def look(experiment):
    """Sections → the preview of what they describe; ``options`` go to it."""

    def looked(options=None, **sections):
        made = experiment(**sections)
        return preview(made.runs, made.base, **(options or {}))

    return looked
