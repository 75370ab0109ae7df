"""Estimates against known mutual information: the table of docs/measures.md, printed by one command.

python benchmarks/known_information.py [SEEDS [KSG] [Gaussian] [latent]]
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable

from layerscope.data.known_information import (
    KnownInformation,
    embedded,
    equicorrelated_gaussian,
    gaussian_pairs,
    half_cube,
    spiral,
    student,
    swiss_roll,
)
from layerscope.functional import (
    gaussian_mutual_information,
    ksg_mutual_information,
    latent_mutual_information,
)

SAMPLES = 2000


def _sparse(seed: int) -> KnownInformation:
    return gaussian_pairs(SAMPLES, 0.8, dim=3, interacting=2, seed=seed)


FAMILIES: dict[str, Callable[[int], KnownInformation]] = {
    "Gaussian, 1 + 1, rho 0.75": lambda seed: gaussian_pairs(SAMPLES, 0.75, seed=seed),
    "the same, half-cubed": lambda seed: half_cube(gaussian_pairs(SAMPLES, 0.75, seed=seed)),
    "the same, x on a swiss roll": lambda seed: swiss_roll(gaussian_pairs(SAMPLES, 0.75, seed=seed)),
    "Gaussian, 3 + 3, 2 pairs of rho 0.8": _sparse,
    "the same, x spun": lambda seed: spiral(_sparse(seed)),
    "the same in 64 + 64 dimensions": lambda seed: embedded(_sparse(seed), 64, seed=seed),
    "Gaussian, 5 + 5, all rho 0.5": lambda seed: equicorrelated_gaussian(SAMPLES, 0.5, dim=5, seed=seed),
    "Gaussian, 20 + 20, 20 pairs of rho 0.9": lambda seed: gaussian_pairs(SAMPLES, 0.9, dim=20, seed=seed),
    "Student, 1 + 1, nu 1": lambda seed: student(SAMPLES, 1, seed=seed),
    "Student, 2 + 2, nu 1": lambda seed: student(SAMPLES, 1, dim=2, seed=seed),
    "independent, 2 + 2": lambda seed: gaussian_pairs(SAMPLES, 0.0, dim=2, seed=seed),
}

ESTIMATES: dict[str, Callable[[KnownInformation, int], float]] = {
    "KSG": lambda known, seed: ksg_mutual_information(known.x, known.y).value,
    "Gaussian": lambda known, seed: gaussian_mutual_information(known.x, known.y).unbiased,
    "latent": lambda known, seed: latent_mutual_information(known.x, known.y, seed=seed).value,
}


def main(seeds: int, names: list[str]) -> None:
    """Print one row per family: truth, then mean and standard deviation over seeds of every estimate."""
    print(f"| nats, N = {SAMPLES}, {seeds} seeds | truth | {' | '.join(names)} |")
    print("|---|---|" + "---|" * len(names))
    for name, make in FAMILIES.items():
        drawn = [make(seed) for seed in range(seeds)]
        cells = [_cell([ESTIMATES[each](known, seed) for seed, known in enumerate(drawn)]) for each in names]
        print(f"| {name} | {drawn[0].nats:.3f} | {' | '.join(cells)} |", flush=True)


def _cell(found: list[float]) -> str:
    if any(map(math.isnan, found)):
        return "undefined"
    return f"{statistics.mean(found):.3f} ± {statistics.stdev(found):.3f}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5, sys.argv[2:] or list(ESTIMATES))
