"""Memory grows with K·D and never with K·K, let alone K·K·D."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "many_classes.py"
CLASSES, DIM = 8000, 16
SQUARE_GB = CLASSES**2 * 8 / 1e9


def test_moments_distances_and_decisions_of_many_classes_need_no_square_matrix():
    """Tiles of pairs and their temporaries are of one size, however many classes there are."""
    command = [sys.executable, SCRIPT, str(CLASSES), str(DIM)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=170, check=True)
    steps = {line["step"]: line for line in map(json.loads, answer.stdout.splitlines())}
    assert steps["update"]["value"] == 2 * CLASSES
    assert steps["nearest centres of 1,000"]["value"] == 1.0
    assert 0 < steps["etf_error"]["value"] < 2**0.5
    assert steps["cdnv"]["value"] > 0
    assert max(step["peak_gb"] for step in steps.values()) < 0.7 * SQUARE_GB
