"""Mutual information: KSG against KD-trees, latent against latentmi.

latentmi needs numpy < 2. Name the Python of an environment that has it in LAYERSCOPE_LATENTMI_PYTHON, or that
comparison is left out. Its first epochs are timed, and scaled to the 203 epochs at which its own early
stopping ended on samples of this law (mean of seeds 0, 1, 2).
"""

from __future__ import annotations

import math
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from pairs import Comparison, compare
from scipy.spatial import cKDTree
from scipy.special import digamma

from layerscope.data.known_information import KnownInformation, embedded, gaussian_pairs
from layerscope.functional import ksg_mutual_information, latent_mutual_information

Array = npt.NDArray[np.float64]

PYTHON = "LAYERSCOPE_LATENTMI_PYTHON"
EPOCHS = 203
TIMED = 4
LATENTMI = """
import sys, time, numpy as np, torch
torch.set_num_threads(int(sys.argv[2]))
from latentmi import lmi
samples = np.load(sys.argv[1])
def seconds(epochs):
    started = time.perf_counter()
    lmi.estimate(samples["x"], samples["y"], epochs=epochs, patience=10**6)
    return time.perf_counter() - started
seconds(1)
few, more = seconds(1), seconds(1 + int(sys.argv[3]))
print()
print((more - few) / int(sys.argv[3]), few)
"""


def run() -> Iterator[Comparison]:
    """Yield the comparisons."""
    known = gaussian_pairs(10_000, 0.6, dim=8)
    x, y = known.x.numpy(), known.y.numpy()
    yield compare(
        "KSG, N = 10,000, 8 + 8 dimensions / KD-trees (scipy)",
        lambda: ksg_mutual_information(known.x, known.y, standardize=False),
        lambda: tree_ksg(x, y),
        bound=1 / 3,
        pairs=1,
    )
    if PYTHON in os.environ:
        yield _latent(embedded(gaussian_pairs(2000, 0.8, dim=2), 128))


def tree_ksg(x: Array, y: Array, k: int = 3) -> float:
    """KSG with Euclidean blocks by KD-trees: joint neighbours among candidates, counts by balls."""
    trees = cKDTree(x), cKDTree(y)
    radius = _joint_radius(x, y, k)
    counts = [
        tree.query_ball_point(points, radius * (1 - 1e-9), return_length=True, workers=-1)
        for tree, points in zip(trees, (x, y), strict=True)
    ]
    return digamma(k) + digamma(len(x)) - sum(digamma(count).mean() for count in counts)


def _joint_radius(x: Array, y: Array, k: int) -> Array:
    """Distance of the k-th neighbour in the larger of the two Euclidean distances, (N,).

    The joint Euclidean distance is at least that, and at most √2 times that: candidates come from a tree of
    both.
    """
    both = np.concatenate([x, y], axis=1)
    tree = cKDTree(both)
    farthest = tree.query(both, k + 1, workers=-1)[0][:, -1]
    candidates = tree.query_ball_point(both, math.sqrt(2) * farthest, workers=-1)
    radius = np.empty(len(x))
    for i, near in enumerate(candidates):
        apart = [np.linalg.norm(part[near] - part[i], axis=1) for part in (x, y)]
        radius[i] = np.partition(np.maximum(*apart), k)[k]  # the nearest is the sample itself
    return radius


def _latent(known: KnownInformation) -> Comparison:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.npz"
        np.savez(path, x=known.x.numpy(), y=known.y.numpy())
        command = [os.environ[PYTHON], "-c", LATENTMI, str(path), str(torch.get_num_threads()), str(TIMED)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    epoch, rest = map(float, answer.stdout.split("\n")[-2].split())
    latent_mutual_information(known.x[:400], known.y[:400])
    started = time.perf_counter()
    latent_mutual_information(known.x, known.y)
    ours = time.perf_counter() - started
    return Comparison(
        f"latent MI, N = 2,000, 128 + 128 dimensions / latentmi ({TIMED} epochs, scaled to {EPOCHS})",
        [ours],
        [rest + (EPOCHS - 1) * epoch],
        0.1,
    )


if __name__ == "__main__":
    for comparison in run():
        print(comparison.row(), flush=True)
