"""Every row of every measure, straight from its definition: numpy in float64, whole matrices, plain loops.

Nothing is shared with the package: covariances are D x D matrices, pseudo-inverses are formed, distances are
taken one by one, and a convolution is unfolded entry by entry.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

EPS = np.finfo(np.float64).eps
Values = list[tuple[dict[str, "str | int"], float]]
Key = tuple[str, str, str, tuple[tuple[str, str | int], ...]]


@dataclass(frozen=True)
class NaiveLayer:
    """One tapped layer: its features per split (N, D), and the weight behind the tap, if it has one.

    ``reads`` says in which space the weight meets the features: ``linear``, ``conv``, or None when the
    two do not meet. ``shape`` is that of one sample's features (D,) or (channels, height, width).
    """

    name: str
    features: Mapping[str, np.ndarray]
    weight: np.ndarray | None = None
    reads: str | None = None
    shape: tuple[int, ...] = ()


def naive_rows(
    layers: Sequence[NaiveLayer],
    labels: Mapping[str, np.ndarray],
    logits: Mapping[str, np.ndarray],
    *,
    loss: str,
    weighting: str,
) -> dict[Key, float]:
    """Value of every row, by measure, split, layer and qualifiers."""
    rows: dict[Key, float] = {}

    def put(measure, split, layer, values):
        for qualifiers, value in values:
            key = (measure, split, layer, tuple(sorted(qualifiers.items())))
            assert key not in rows
            rows[key] = float(value)

    for split in labels:
        put("Accuracy", split, "logits", decisions(logits[split], labels[split], loss))
    for layer in layers:
        put("WeightSVs", "weights", layer.name, weight_values(layer.weight))
    for layer, split in itertools.product(layers, labels):
        geometry = Geometry(layer.features[split], labels[split], weighting)
        put("Traces", split, layer.name, traces(geometry))
        put("CDNV", split, layer.name, statistics(cdnv(geometry)))
        put("NC1", split, layer.name, statistics(nc1(geometry)))
        put("ETF", split, layer.name, statistics(etf(geometry)))
        put("NCC", split, layer.name, statistics(ncc(layer, split, labels, logits)))
        rank, value = angle(layer, geometry)
        put("AngleBetweenSubspaces", split, layer.name, [({"rank": rank}, value)])
    return rows


def statistics(values: Mapping[str, float]) -> Values:
    return [({"statistic": name}, value) for name, value in values.items()]


class Geometry:
    """Class means, class covariances, and both pooled covariances, as whole matrices."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, weighting: str) -> None:
        features = features.astype(np.float64)
        classes = sorted(set(labels.tolist()))
        groups = [features[labels == c] for c in classes]
        self.counts = [len(group) for group in groups]
        self.means = np.stack([group.mean(axis=0) for group in groups])
        self.covariances = [
            (group - mean).T @ (group - mean) / len(group)
            for group, mean in zip(groups, self.means, strict=True)
        ]
        total = sum(self.counts)
        share = {"balanced": [1 / len(classes)] * len(classes), "sample": [n / total for n in self.counts]}
        self.weights = share[weighting]
        self.center = sum(w * mean for w, mean in zip(self.weights, self.means, strict=True))
        self.offsets = self.means - self.center
        self.within = sum(w * cov for w, cov in zip(self.weights, self.covariances, strict=True))
        self.between = sum(w * np.outer(m, m) for w, m in zip(self.weights, self.offsets, strict=True))


def decisions(logits: np.ndarray, labels: np.ndarray, loss: str) -> Values:
    right = [int(np.argmax(row)) == label for row, label in zip(logits, labels, strict=True)]
    accuracy = sum(right) / len(right)
    return [({"quantity": "accuracy"}, accuracy), ({"quantity": "loss"}, mean_loss(logits, labels, loss))]


def mean_loss(logits: np.ndarray, labels: np.ndarray, loss: str) -> float:
    values = []
    for row, label in zip(logits.astype(np.float64), labels, strict=True):
        if loss == "celoss":
            values.append(row.max() + math.log(np.exp(row - row.max()).sum()) - row[label])
        else:
            target = np.eye(len(row))[label]
            values.append(((row - target) ** 2).mean())
    return sum(values) / len(values)


def weight_values(weight: np.ndarray | None) -> Values:
    if weight is None:
        return [({"sigma_index": 0, "scale": "absolute"}, math.nan)]
    sigmas = np.linalg.svd(weight.astype(np.float64).reshape(len(weight), -1), compute_uv=False)
    values = []
    for index, sigma in enumerate(sigmas):
        values.append(({"sigma_index": index, "scale": "absolute"}, sigma))
        values.append(({"sigma_index": index, "scale": "relative"}, sigma / sum(sigmas)))
        values.append(({"sigma_index": index, "scale": "cumulative"}, sum(sigmas[: index + 1]) / sum(sigmas)))
    return values


def traces(g: Geometry) -> Values:
    within, between = np.trace(g.within), np.trace(g.between)
    total = within + between
    values = []
    for name, value in (("within", within), ("between", between), ("sum", total)):
        values.append(({"trace": name, "scale": "absolute"}, value))
        values.append(({"trace": name, "scale": "relative"}, value / total if total else math.nan))
    return values


def cdnv(g: Geometry) -> dict[str, float]:
    values = []
    for i, j in itertools.combinations(range(len(g.means)), 2):
        spread = np.trace(g.covariances[i]) + np.trace(g.covariances[j])
        distance = ((g.means[i] - g.means[j]) ** 2).sum()
        if distance > 0:
            values.append(spread / (2 * distance))
        elif spread > 0:
            values.append(math.inf)
    if not values:
        return dict.fromkeys(("mean", "median", "max"), math.nan)
    return {"mean": np.mean(values), "median": np.median(values), "max": max(values)}


def between_pinv(g: Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Pseudo-inverse of the between covariance and the projector onto its range, both (D, D)."""
    classes, dim = g.means.shape
    scaled = np.stack([math.sqrt(w) * m for w, m in zip(g.weights, g.offsets, strict=True)], axis=1)
    left, sigmas, _ = np.linalg.svd(scaled)  # (D, K): the cut is made here, not on the covariance
    rounding = 4 * EPS * max(np.linalg.norm(mean) for mean in g.means)
    inverse, projector = np.zeros((dim, dim)), np.zeros((dim, dim))
    for j, sigma in enumerate(sigmas[: classes - 1]):
        if sigma > max(sigmas[0] * max(dim, classes) * EPS, rounding):
            inverse += np.outer(left[:, j], left[:, j]) / sigma**2
            projector += np.outer(left[:, j], left[:, j])
    return inverse, projector


def nc1(g: Geometry) -> dict[str, float]:
    inverse, projector = between_pinv(g)
    within, between = np.trace(g.within), np.trace(g.between)
    return {
        "pinv": np.trace(g.within @ inverse) / len(g.means),
        "quotient": within / between if between else math.nan,
        "range_fraction": np.trace(projector @ g.within @ projector) / within if within else math.nan,
        "rank": round(np.trace(projector)),
    }


def etf(g: Geometry) -> dict[str, float]:
    classes, dim = g.means.shape
    norms = [np.linalg.norm(m) for m in g.offsets]
    cosines = [
        g.offsets[i] @ g.offsets[j] / (norms[i] * norms[j])
        for i, j in itertools.combinations(range(classes), 2)
    ]
    gram = g.offsets @ g.offsets.T
    target = np.eye(classes) - np.ones((classes, classes)) / classes
    rank = min(dim, classes - 1)
    return {
        "equinorm": np.std(norms) / np.mean(norms),
        "equiangular": np.mean([abs(c + 1 / (classes - 1)) for c in cosines]),
        "equiangular_std": np.std(cosines),
        "etf_error": np.linalg.norm(gram / np.linalg.norm(gram) - target / math.sqrt(classes - 1)),
        "etf_floor": math.sqrt(2 - 2 * math.sqrt(rank / (classes - 1))),
    }


def ncc(
    layer: NaiveLayer, split: str, labels: Mapping[str, np.ndarray], logits: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Distances of every sample to every train mean, one by one."""
    train = layer.features["train"].astype(np.float64)
    means = {c: train[labels["train"] == c].mean(axis=0) for c in sorted(set(labels["train"].tolist()))}
    chosen, ties = [], 0
    for row in layer.features[split].astype(np.float64):
        distances = {c: np.linalg.norm(row - mean) for c, mean in means.items()}
        nearest = min(distances.values())
        best = [c for c, distance in distances.items() if distance <= nearest * (1 + 1e-13)]
        chosen.append(best[0])
        ties += len(best) > 1
    truth, network = labels[split], np.argmax(logits[split], axis=1)
    right = np.array(chosen) == truth
    return {
        "accuracy": right.mean(),
        "balanced_accuracy": np.mean([right[truth == c].mean() for c in sorted(set(truth.tolist()))]),
        "agreement": (np.array(chosen) == network).mean(),
        "ties": ties,
    }


def angle(layer: NaiveLayer, g: Geometry) -> tuple[int, float]:
    """Mean cosine between the top right singular space of the weight and that of the centred means."""
    if layer.reads is None or layer.weight is None:
        return 0, math.nan
    weight, means = layer.weight.astype(np.float64), g.offsets
    if layer.reads == "linear":
        reading, columns = weight, means.T
    else:
        out, channels, height, width = weight.shape
        kernel = itertools.product(range(out), range(height), range(width))
        reading = np.array([[weight[o, c, y, x] for c in range(channels)] for o, y, x in kernel])
        maps = means.reshape(len(means), *layer.shape)
        places = itertools.product(range(len(means)), *map(range, maps.shape[2:]))
        columns = np.array([maps[k][(slice(None), *place)] for k, *place in places]).T
    _, sigmas, right = np.linalg.svd(reading)
    left, spread, _ = np.linalg.svd(columns)
    rank = min(len(means) - 1, numerical_rank(sigmas, reading.shape), numerical_rank(spread, columns.shape))
    if rank == 0:
        return 0, math.nan
    cosines = np.linalg.svd(right[:rank] @ left[:, :rank], compute_uv=False)
    return rank, cosines.sum() / rank


def numerical_rank(sigmas: np.ndarray, shape: tuple[int, ...]) -> int:
    return int((sigmas > sigmas[0] * max(shape) * EPS).sum())
