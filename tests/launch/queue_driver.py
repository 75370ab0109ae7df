"""A local queue in a process of its own, to be interrupted: ``queue_driver.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from tiny_runs import endless, tiny_run

from layerscope.launch.local.queue import run_queue


def main():
    base = Path(sys.argv[1])
    runs = [endless(base / "first"), endless(base / "second"), tiny_run(base / "third")]
    try:
        run_queue(
            runs, ["train", "plot"], workers=2, device="cpu", watch=lambda told: print(told, flush=True)
        )
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
