"""Without torch a preview shows everything but the layers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DEBUG = Path(__file__).parents[2] / "matrix" / "debug.yaml"

LOOK = """
import sys
from pathlib import Path

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch" or name.startswith("torch."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoTorch())

from layerscope.config import load_matrix
from layerscope.preview.plain import as_json
from layerscope.preview.preview import preview
from layerscope.preview.text import as_text
from layerscope.run import Run

cells = load_matrix(sys.argv[1])
runs = [Run(cell.config, Path("logs") / cell.name, cell.name, cell.axes) for cell in cells]
seen = preview(runs, Path("logs"), slurm=True)
print(as_text(seen) if sys.argv[2] == "text" else as_json(seen))
"""


@pytest.fixture
def look(tmp_path):
    def looked(form):
        done = subprocess.run(
            [sys.executable, "-c", LOOK, str(DEBUG), form],
            cwd=tmp_path,
            env={**os.environ, "PATH": ""},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return looked


def test_runs_arrays_and_scripts_are_shown_with_one_note(look):
    text = look("text")
    assert "6 runs in logs: 6 to do" in text
    assert "Model mlp_small on 1x8x8 images of 10 classes" in text
    assert "#SBATCH --array=0-5" in text
    assert text.count("torch cannot be imported here (No module named 'torch')") == 1
    assert "parameters, memory and disk are not known" in " ".join(text.split())


def test_the_json_is_the_same_but_for_the_layers(look):
    tree = json.loads(look("json"))
    assert len(tree["runs"]) == 6
    assert tree["runs"][0]["config"]["Model"]["model-name"] == "mlp_small"
    assert [array["stage"] for array in tree["arrays"]] == ["train", "measure", "plot"]
    assert tree["models"][0]["layers"] == []
    assert tree["problems"] == []
