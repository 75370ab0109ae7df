"""Estimators of I(X; Y) against the truth: the table of figures F28 and F29.

python benchmarks/estimators.py [FILE [SEEDS]]      (FILE: estimators.csv; SEEDS: 3; minutes on one core)

X are points around ten centres that are the corners of a simplex, with the standard deviation 0.1 in every
dimension; Y are their classes, of which the share c is drawn anew from all ten. As good as no point is nearer
to another centre than to its own along the line between them, so X determines the class, and

    I(X; Y) = ln 10 - H,  H the entropy of (1 - c + c/10, c/10, ..., c/10).

Columns: estimator, dimension, corruption (c), samples, seed, truth and estimate (nats), seconds.
``layerscope -c X -m --figures Estimators EstimatorRuntime`` draws the file when it lies in X's save-dir.
"""

from __future__ import annotations

import csv
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from layerscope.functional import (
    binned_mutual_information,
    diffusion_spectral_mutual_information,
    gaussian_mutual_information,
    label_mutual_information,
)

CLASSES, SAMPLES, NOISE = 10, 500, 0.1
DIMENSIONS = (20, 100, 500, 2000, 20000)
CORRUPTED = (20, 100)
"""Dimensions in which all corruptions are tried; in the others only the first one."""

CORRUPTIONS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
COLUMNS = ("estimator", "dimension", "corruption", "samples", "seed", "truth", "estimate", "seconds")


def _gaussian(x: Tensor, labels: Tensor) -> float:
    present = torch.eye(CLASSES, dtype=x.dtype)[labels][:, :-1]
    return float(gaussian_mutual_information(x, present).unbiased)


def _binned(x: Tensor, labels: Tensor, bins: int) -> float:
    return binned_mutual_information(x, labels, bins=bins).with_labels


ESTIMATES: dict[str, Callable[[Tensor, Tensor], float]] = {
    "DSMI": lambda x, labels: float(diffusion_spectral_mutual_information(x, labels, variant="full").full),
    "DSMI, matched": lambda x, labels: float(
        diffusion_spectral_mutual_information(x, labels, variant="matched").matched
    ),
    "binned, 5 bins": lambda x, labels: _binned(x, labels, 5),
    "binned, 30 bins": lambda x, labels: _binned(x, labels, 30),
    "KSG": lambda x, labels: float(label_mutual_information(x, labels).value),
    "Gaussian": _gaussian,
}


def draw(dimension: int, corruption: float, seed: int) -> tuple[Tensor, Tensor]:
    """Points (n, dimension) and labels (n,)."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(SAMPLES) % CLASSES
    centers = torch.eye(CLASSES, dimension, dtype=torch.float64)
    noise = torch.randn(SAMPLES, dimension, generator=generator, dtype=torch.float64)
    anew = torch.rand(SAMPLES, generator=generator) < corruption
    drawn = torch.randint(CLASSES, (SAMPLES,), generator=generator)
    return centers[classes] + NOISE * noise, torch.where(anew, drawn, classes)


def truth(corruption: float) -> float:
    """I(X; Y) in nats."""
    shares = [1 - corruption + corruption / CLASSES, *[corruption / CLASSES] * (CLASSES - 1)]
    return math.log(CLASSES) + sum(share * math.log(share) for share in shares if share > 0)


def rows(seeds: int) -> Iterator[tuple[object, ...]]:
    """One row per estimate."""
    for dimension in DIMENSIONS:
        for corruption in CORRUPTIONS if dimension in CORRUPTED else CORRUPTIONS[:1]:
            for seed in range(seeds):
                x, labels = draw(dimension, corruption, seed)
                for name, estimate in ESTIMATES.items():
                    began = time.perf_counter()
                    value = estimate(x, labels)
                    seconds = time.perf_counter() - began
                    known = truth(corruption)
                    yield name, dimension, corruption, SAMPLES, seed, known, value, round(seconds, 5)


def main(path: Path, seeds: int) -> None:
    """Write the table."""
    x, labels = draw(20, 0.0, 0)
    for estimate in ESTIMATES.values():  # so that no first call is timed
        estimate(x, labels)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(seeds))


if __name__ == "__main__":
    main(
        Path(sys.argv[1] if len(sys.argv) > 1 else "estimators.csv"),
        int(sys.argv[2]) if len(sys.argv) > 2 else 3,
    )
