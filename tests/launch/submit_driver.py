"""Submits runs from a process of its own: ``submit_driver.py BASE COUNT``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from some_runs import runs_with

from layerscope.launch.submission.submit import submit

if __name__ == "__main__":
    base, count = Path(sys.argv[1]), int(sys.argv[2])
    print(*submit(base, runs_with(count, base=base, **{"gpus-per-run": 0})).jobs)
