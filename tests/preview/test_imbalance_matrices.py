"""The small experiment groups about class imbalance can all be run as they are."""

from __future__ import annotations

from pathlib import Path

from layerscope.config import load_matrix
from layerscope.preview.preview import preview
from layerscope.run import Run

FOLDER = Path(__file__).parents[2] / "matrix" / "imbalance"


def test_a_preview_of_the_small_groups_finds_no_problem(here):
    runs = [
        Run(cell.config, here / path.stem / cell.name, f"{path.stem}/{cell.name}")
        for path in sorted(FOLDER.glob("*_small.yaml"))
        for cell in load_matrix(path)
    ]
    found = preview(runs, here)
    assert found.problems == ()
    assert len(found.runs) == len(runs) == 102
    assert all(model.layers[-1].dim > 0 for model in found.models)
    assert {model.classes for model in found.models} == {10}
