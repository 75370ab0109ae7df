"""``make bench``: every table of benchmarks/README.md, measured now, on this machine."""

from __future__ import annotations

import os
import platform

import accumulators
import catalogue
import diffusion
import information
import mutual_information
import report
import startup
import torch

import launch
import measurement
import plotting
import training

PARTS = (
    startup,
    training,
    measurement,
    information,
    accumulators,
    launch,
    catalogue,
    report,
    diffusion,
    mutual_information,
    plotting,
)


def main() -> None:
    """Print the machine and one row per comparison."""
    threads = torch.get_num_threads()
    print(f"{os.cpu_count()} cores, {platform.machine()}, torch {torch.__version__}, {threads} threads\n")
    print("| what / reference | ours, s | reference, s | ratio: median (range) | bound |")
    print("|---|---|---|---|---|")
    for part in PARTS:
        for comparison in part.run():
            print(comparison.row(), flush=True)


if __name__ == "__main__":
    main()
