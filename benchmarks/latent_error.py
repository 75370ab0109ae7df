"""Errors of latent MI against the truth, beside those of latentmi: mean over seeds of |estimate - truth|.

python benchmarks/latent_error.py [SEEDS]      (SEEDS: 5)

latentmi takes minutes per estimate and needs numpy < 2. Its estimates are those of latentmi.csv beside this
file; what is missing there is estimated, and added, by the Python that LAYERSCOPE_LATENTMI_PYTHON names.
"""

from __future__ import annotations

import csv
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from layerscope.data.known_information import KnownInformation, embedded, gaussian_pairs
from layerscope.functional import latent_mutual_information

PYTHON = "LAYERSCOPE_LATENTMI_PYTHON"
RECORD = Path(__file__).with_name("latentmi.csv")
COLUMNS = ("law", "seed", "estimate", "seconds", "versions")

LAWS: dict[str, Callable[[int], KnownInformation]] = {
    "2 pairs of rho 0.8 in 128 + 128 dimensions, N = 2,000": lambda seed: embedded(
        gaussian_pairs(2000, 0.8, dim=2, seed=seed), 128, seed=seed
    ),
    "1 pair of rho 0.9 in 40 + 40 dimensions with noise 0.3, N = 1,000": lambda seed: embedded(
        gaussian_pairs(1000, 0.9, seed=seed), 40, noise=0.3, seed=seed
    ),
}

LATENTMI = """
import sys, time, numpy as np, torch
from importlib.metadata import version
from latentmi import lmi
samples, seed = np.load(sys.argv[1]), int(sys.argv[2])
np.random.seed(seed); torch.manual_seed(seed)
began = time.perf_counter()
bits = np.nanmean(np.asarray(lmi.estimate(samples["x"], samples["y"])[0]))
seconds = time.perf_counter() - began
print()
print(bits * np.log(2), seconds, *(name + "-" + version(name) for name in ("latentmi", "torch", "numpy")))
"""


def main(seeds: int) -> None:
    """Print one row per law: the truth, mean, standard deviation and mean error of both."""
    print("| law (nats) | truth | ours | mean error | latentmi | mean error |")
    print("|---|---|---|---|---|---|")
    for name, make in LAWS.items():
        drawn = [make(seed) for seed in range(seeds)]
        ours = [latent_mutual_information(each.x, each.y, seed=seed).value for seed, each in enumerate(drawn)]
        theirs = [_of_peer(name, seed, each) for seed, each in enumerate(drawn)]
        cells = " | ".join(_cells(found, drawn[0].nats) for found in (ours, theirs))
        print(f"| {name} | {drawn[0].nats:.3f} | {cells} |", flush=True)


def _cells(found: list[float | None], truth: float) -> str:
    values = [value for value in found if value is not None]
    if len(values) < len(found):
        return f"not there: name its Python in {PYTHON} | "
    error = statistics.mean(abs(value - truth) for value in values)
    return f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f} | {error:.3f}"


def _of_peer(law: str, seed: int, known: KnownInformation) -> float | None:
    """The recorded estimate in nats; made and recorded if it is not there yet, None without its Python."""
    with RECORD.open(encoding="utf-8", newline="") as stream:
        recorded = {(row["law"], row["seed"]): float(row["estimate"]) for row in csv.DictReader(stream)}
    if (law, str(seed)) not in recorded and PYTHON in os.environ:
        answer = _asked(seed, known)
        with RECORD.open("a", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerow([law, seed, *answer])
        return float(answer[0])
    return recorded.get((law, str(seed)))


def _asked(seed: int, known: KnownInformation) -> list[str]:
    """Estimate, seconds and versions, from latentmi with its defaults."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.npz"
        np.savez(path, x=known.x.numpy(), y=known.y.numpy())
        command = [os.environ[PYTHON], "-c", LATENTMI, str(path), str(seed)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return answer.stdout.split("\n")[-2].split(maxsplit=2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
