"""Runs whose only layer sees features at the edge of what measures can speak about."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from layerscope.config import parse_config
from layerscope.run import Run

DRAW = np.random.default_rng(4)
CLOUD = DRAW.integers(-8, 9, size=(6, 4)) / 8  # sums of these are exact
MODEL = '''
from collections import OrderedDict
from torch import nn

def linear(shape, classes):
    """The images themselves are what the only layer reads."""
    dim = shape[0] * shape[1] * shape[2]
    return nn.Sequential(OrderedDict(flat=nn.Flatten(), fc=nn.Linear(dim, classes)))
'''


@dataclass(frozen=True)
class Edge:
    """Features (N, D) of both splits, their labels, and the number of classes."""

    features: np.ndarray
    labels: list[int]
    classes: int


def spread(counts: list[int], dim: int = 4) -> np.ndarray:
    """Varying samples of classes that lie apart."""
    labels = np.repeat(np.arange(len(counts)), counts)
    draw = np.random.default_rng(7)
    means = 3 * draw.standard_normal((len(counts), dim))
    return means[labels] + 0.3 * draw.standard_normal((len(labels), dim))


EDGES = {
    "one class": Edge(CLOUD, [1] * 6, 3),
    "two classes": Edge(spread([6, 6]), [0] * 6 + [1] * 6, 2),
    "K > D + 1": Edge(spread([4] * 5, 3), np.repeat(range(5), 4).tolist(), 5),
    "D = 1": Edge(spread([4] * 3, 1), np.repeat(range(3), 4).tolist(), 3),
    "empty class": Edge(spread([6, 6, 6]), np.repeat([0, 1, 3], 6).tolist(), 4),
    "single sample": Edge(spread([6, 6, 1]), [0] * 6 + [1] * 6 + [2], 3),
    "singles only": Edge(CLOUD[:4], [0, 1, 2, 3], 4),
    "equal means": Edge(np.tile(CLOUD, (3, 1)), np.repeat(range(3), 6).tolist(), 3),
    "zero features": Edge(np.zeros((9, 4)), np.repeat(range(3), 3).tolist(), 3),
}


def run_of(edge: Edge, folder: Path) -> Run:
    """A run on these features as images, not yet trained; ``folder`` must be on the Python path."""
    (folder / "edge_model.py").write_text(MODEL, encoding="utf-8")
    images = edge.features[:, None, None, :].astype(np.float32)
    labels = np.array(edge.labels)
    arrays = {f"{split}_{what}": array for split in ("train", "test")
              for what, array in (("images", images), ("labels", labels))}  # fmt: skip
    np.savez(folder / "edge.npz", **arrays, num_classes=np.array(edge.classes))
    data = {"dataset-id": "arrays", "root": str(folder / "edge.npz"), "batch-size": 4}
    tree = {
        "Model": {"model-name": "edge_model:linear", "embedding-layers": ["fc"]},
        "Data": {**data, "ood": {"dataset-id": "arrays", "root": str(folder / "edge.npz")}},
        "Optimizer": {"lr": 0.01, "epochs": 1},
        "Logging": {"save-dir": "unused", "log-epochs": [1], "trackers": []},
        "Measurements": {"measures": True, "precision": "float64"},
    }
    return Run(parse_config(tree, source="test"), folder / "run", "run")
