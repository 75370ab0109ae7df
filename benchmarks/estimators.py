"""Estimators of I(X; Y) against the truth: the table of figures F28 and F29.

python benchmarks/estimators.py [FILE [SEEDS]]      (FILE: estimators.csv; SEEDS: 3; minutes on one core)

X are points around ten centres, the first ten unit vectors, with a standard deviation of 0.01, 0.1 or 0.5 in
every dimension (noise s); Y are their classes, of which the share c is drawn anew from all ten. The class of
a point has the probabilities p = softmax(x_1/s^2, ..., x_10/s^2), its label (1 - c) p + c/10, so that

    I(X; Y) = ln 10 - E[H((1 - c) p + c/10)],

whatever the dimension. With noise 0.01 and 0.1 p is 0 or 1; the mean is one over 200,000 points, of which the
standard error is below 0.002 nats.

Columns: estimator, dimension, noise, corruption (c), samples, seed, truth and estimate (nats), seconds.
``layerscope -c X -m --figures Estimators EstimatorRuntime`` draws the file when it lies in X's save-dir.
"""

from __future__ import annotations

import csv
import math
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from layerscope.functional import (
    binned_mutual_information,
    diffusion_spectral_mutual_information,
    gaussian_mutual_information,
    label_mutual_information,
    latent_mutual_information,
)

CLASSES, SAMPLES, DRAWS = 10, 500, 200_000
NOISES = (0.01, 0.1, 0.5)
DIMENSIONS = (20, 100, 500, 2000, 20000)
CORRUPTED = (20, 100)
"""Dimensions in which all corruptions are tried; in the others only the first one."""

CORRUPTIONS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
COLUMNS = (
    *("estimator", "dimension", "noise", "corruption", "samples", "seed"),
    *("truth", "estimate", "seconds"),
)


def _gaussian(x: Tensor, labels: Tensor) -> float:
    present = torch.eye(CLASSES, dtype=x.dtype)[labels][:, :-1]
    return float(gaussian_mutual_information(x, present).unbiased)


def _binned(x: Tensor, labels: Tensor, bins: int) -> float:
    return binned_mutual_information(x, labels, bins=bins, edges="per_unit").with_labels


ESTIMATES: dict[str, Callable[[Tensor, Tensor], float]] = {
    "DSMI": lambda x, labels: float(diffusion_spectral_mutual_information(x, labels, variant="full").full),
    "DSMI, matched": lambda x, labels: float(
        diffusion_spectral_mutual_information(x, labels, variant="matched").matched
    ),
    "binned, 5 bins": lambda x, labels: _binned(x, labels, 5),
    "binned, 10 bins": lambda x, labels: _binned(x, labels, 10),
    "binned, 100 bins": lambda x, labels: _binned(x, labels, 100),
    "KSG": lambda x, labels: float(label_mutual_information(x, labels).value),
    "latent": lambda x, labels: latent_mutual_information(x, labels).value,
    "Gaussian": _gaussian,
}


def draw(dimension: int, spread: float, corruption: float, seed: int) -> tuple[Tensor, Tensor]:
    """Points (n, dimension) and labels (n,)."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(SAMPLES) % CLASSES
    centers = torch.eye(CLASSES, dimension, dtype=torch.float64)
    noise = torch.randn(SAMPLES, dimension, generator=generator, dtype=torch.float64)
    anew = torch.rand(SAMPLES, generator=generator) < corruption
    drawn = torch.randint(CLASSES, (SAMPLES,), generator=generator)
    return centers[classes] + spread * noise, torch.where(anew, drawn, classes)


def truth(spread: float, corruption: float) -> float:
    """I(X; Y) in nats."""
    generator = torch.Generator().manual_seed(0)
    points = spread * torch.randn(DRAWS, CLASSES, generator=generator, dtype=torch.float64)
    points += torch.eye(CLASSES, dtype=torch.float64)[torch.arange(DRAWS) % CLASSES]
    labels = (1 - corruption) * (points / spread**2).softmax(dim=1) + corruption / CLASSES
    return math.log(CLASSES) - float(torch.special.entr(labels).sum(dim=1).mean())


def laws() -> Iterator[tuple[int, float, float]]:
    """Dimension, noise and corruption of every law."""
    for dimension, spread in product(DIMENSIONS, NOISES):
        for corruption in CORRUPTIONS if dimension in CORRUPTED else CORRUPTIONS[:1]:
            yield dimension, spread, corruption


def rows(seeds: int) -> Iterator[tuple[object, ...]]:
    """One row per estimate."""
    known = {(spread, corruption): truth(spread, corruption) for _, spread, corruption in laws()}
    for (dimension, spread, corruption), seed in product(laws(), range(seeds)):
        x, labels = draw(dimension, spread, corruption, seed)
        law = dimension, spread, corruption, SAMPLES, seed, known[spread, corruption]
        for name, estimate in ESTIMATES.items():
            began = time.perf_counter()
            value = estimate(x, labels)
            yield name, *law, value, round(time.perf_counter() - began, 5)


def main(path: Path, seeds: int) -> None:
    """Write the table."""
    x, labels = draw(20, 0.1, 0.0, 0)
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
