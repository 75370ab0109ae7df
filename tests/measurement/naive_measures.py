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

from . import naive_imbalance as imbalance

SCHEMES = {  # what counts the same in: the trace within, the covariance within, between, the centre
    "balanced": ("class", "class", "class", "class"),
    "sample": ("sample", "sample", "sample", "sample"),
    "papyan": ("sample", "sample", "class", "sample"),
    "rnc": ("sample", "sample", "class", "class"),
    "inc": ("class", "sample", "class", "sample"),
}
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
    bias: np.ndarray | None = None


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

    put_imbalance(put, layers, labels, logits)
    for split in labels:
        put("Accuracy", split, "logits", decisions(logits[split], labels[split], loss))
    for layer in layers:
        put("WeightSVs", "weights", layer.name, weight_values(layer.weight))
        put("WeightRanks", "weights", layer.name, statistics(weight_ranks(layer.weight)))
    put("ClassifierETF", "weights", layers[-1].name, classifier_etf(layers[-1]))
    for split in labels:
        geometries = [Geometry(layer.features[split], labels[split], weighting) for layer in layers]
        put("NCLayer", split, "network", statistics(nc_layer([cdnv(g)["mean"] for g in geometries])))
        put("SelfDuality", split, layers[-1].name, statistics(self_duality(layers[-1], geometries[-1])))
    for layer in layers:
        put("NC5", "ood", layer.name, [({"statistic": "orthogonality"}, nc5(layer, labels["train"]))])
    for layer, split in itertools.product(layers, labels):
        geometry = Geometry(layer.features[split], labels[split], weighting)
        put("Traces", split, layer.name, traces(geometry))
        put("CDNV", split, layer.name, statistics(cdnv(geometry)))
        put("CDNVPairs", split, layer.name, cdnv_pairs(geometry))
        put("NC1", split, layer.name, statistics(nc1(geometry)))
        put("ETF", split, layer.name, statistics(etf(geometry)))
        put("GNC2", split, layer.name, kernels(geometry))
        put("MLPSVD", split, layer.name, mlp_svd(layer, geometry))
        put("ActivationCovSVs", split, layer.name, covariance_values(geometry))
        put("ActivationStableRank", split, layer.name, stable_ranks(geometry))
        put("VCI", split, layer.name, statistics({"vci": collapse_index(geometry)}))
        put("NCC", split, layer.name, statistics(ncc(layer, split, labels, logits)))
        rank, value = angle(layer, geometry, uncentred=weighting == "inc")
        put("AngleBetweenSubspaces", split, layer.name, [({"rank": rank}, value)])
    return rows


def put_imbalance(put, layers, labels, logits):
    classes = logits["train"].shape[1]
    counts = [int((labels["train"] == c).sum()) for c in range(classes)]
    last = layers[-1]
    rows = last.weight if last.weight is not None and last.weight.ndim == 2 else None
    if rows is not None and len(rows) != classes:
        rows = None
    everyone = list(range(classes))
    put("Drift", "weights", last.name, imbalance.weight_drift(rows))
    put("MinorityCollapse", "weights", last.name, imbalance.minority("weights", rows, everyone, counts))
    put("SELI", "weights", last.name, imbalance.seli("weights", rows, everyone, counts))
    for split in labels:
        put("GroupAccuracy", split, "logits", imbalance.group_accuracy(logits[split], labels[split], counts))
        put("ClassRecall", split, "logits", imbalance.class_recall(logits[split], labels[split], counts))
        for layer in layers:
            geometry = Geometry(layer.features[split], labels[split], "balanced")
            train = Geometry(layer.features["train"], labels["train"], "balanced")
            other = None if split == "train" else train
            fits = rows is not None and layer.reads == "linear"
            classifier = None if layer is not last else rows.astype(np.float64) if fits else False
            put("Drift", split, layer.name, imbalance.drift(geometry, other, counts, classifier))
            moved = geometry.offsets
            means = imbalance.minority("means", moved, geometry.classes, counts)
            put("MinorityCollapse", split, layer.name, means)
            if layer is last:
                found = imbalance.seli("means", geometry.means, geometry.classes, counts)
                put("SELI", split, layer.name, found)


def statistics(values: Mapping[str, float]) -> Values:
    return [({"statistic": name}, value) for name, value in values.items()]


class Geometry:
    """Class means, class covariances, and both pooled covariances, as whole matrices."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, weighting: str) -> None:
        features = features.astype(np.float64)
        classes = sorted(set(labels.tolist()))
        groups = [features[labels == c] for c in classes]
        self.classes = classes
        self.counts = [len(group) for group in groups]
        self.means = np.stack([group.mean(axis=0) for group in groups])
        self.covariances = [
            (group - mean).T @ (group - mean) / len(group)
            for group, mean in zip(groups, self.means, strict=True)
        ]
        total = sum(self.counts)
        share = {"class": [1 / len(classes)] * len(classes), "sample": [n / total for n in self.counts]}
        trace, within, self.weights, center = (share[by] for by in SCHEMES[weighting])
        self.center = sum(w * mean for w, mean in zip(center, self.means, strict=True))
        self.offsets = self.means - self.center
        self.within = sum(w * cov for w, cov in zip(within, self.covariances, strict=True))
        self.within_trace = sum(w * np.trace(cov) for w, cov in zip(trace, self.covariances, strict=True))
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
    within, between = g.within_trace, np.trace(g.between)
    total = within + between
    values = []
    for name, value in (("within", within), ("between", between), ("sum", total)):
        values.append(({"trace": name, "scale": "absolute"}, value))
        values.append(({"trace": name, "scale": "relative"}, value / total if total else math.nan))
    return values


def cdnv_pairs(g: Geometry) -> Values:
    values = []
    for i, j in itertools.combinations(range(len(g.means)), 2):
        spread = np.trace(g.covariances[i]) + np.trace(g.covariances[j])
        distance = ((g.means[i] - g.means[j]) ** 2).sum()
        value = spread / (2 * distance) if distance > 0 else math.inf if spread > 0 else math.nan
        values.append(({"class": g.classes[i], "other": g.classes[j]}, value))
    return values


def cdnv(g: Geometry) -> dict[str, float]:
    pairs = [value for _, value in cdnv_pairs(g)]
    values = [value for value in pairs if not math.isnan(value)]
    counts = {"infinite": sum(map(math.isinf, values)), "coincident": len(pairs) - len(values)}
    if not values:
        return dict.fromkeys(("mean", "median", "max"), math.nan) | counts
    return {"mean": np.mean(values), "median": np.median(values), "max": max(values)} | counts


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
    full = round(np.trace(projector)) == len(g.means) - 1
    within, between = np.trace(g.within), np.trace(g.between)
    return {
        "pinv": np.trace(g.within @ inverse) / len(g.means),
        "svd": np.trace(g.within @ inverse) / len(g.means) if full else math.inf if within else math.nan,
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
        "directionless": at_the_centre(g),
    }


def at_the_centre(g: Geometry) -> int:
    """How many vectors have no length beside the longest."""
    longest = max(np.linalg.norm(mean) for mean in g.means)
    return sum(np.linalg.norm(m) < 1e-12 * longest for m in g.offsets)


def kernels(g: Geometry) -> Values:
    """Mean and variance over pairs of three kernels of the distance of two directions."""
    units = [m / np.linalg.norm(m) for m in g.offsets]
    distances = np.array([np.linalg.norm(a - b) for a, b in itertools.combinations(units, 2)])
    found = {
        "dist": distances,
        "log": -np.log(distances),
        "riesz": distances ** -(g.means.shape[1] - 2.0),
        "riesz_1": 1 / distances,
    }
    values = []
    for name, kernel in found.items():
        values.append(({"kernel": name, "statistic": "mean"}, kernel.mean()))
        values.append(({"kernel": name, "statistic": "variance"}, kernel.var()))
    values.append(({"kernel": "any", "statistic": "coincident"}, (distances < 1e-14).sum()))
    values.append(({"kernel": "any", "statistic": "directionless"}, at_the_centre(g)))
    return values


def classifier_etf(layer: NaiveLayer) -> Values:
    """The geometry of means for the rows of the last weight, as they are and centred."""
    values = []
    for rows in ("raw", "centered"):
        weight = layer.weight.astype(np.float64)
        g = object.__new__(Geometry)
        g.means, g.offsets = weight, weight - (weight.mean(axis=0) if rows == "centered" else 0)
        values += [({"rows": rows, "statistic": name}, value) for name, value in etf(g).items()]
    return values


def self_duality(layer: NaiveLayer, g: Geometry) -> dict[str, float]:
    names = (
        *("frobenius", "etf", "etf_centered", "uniform_variance", "uniform_variation"),
        *("uniform_cosine_variance", "cosine", "bias", "directionless"),
    )
    if layer.reads != "linear":
        return dict.fromkeys(names, math.nan)
    weight, bias = layer.weight.astype(np.float64)[g.classes], layer.bias.astype(np.float64)[g.classes]
    classes = len(weight)
    target = (np.eye(classes) - np.ones((classes, classes)) / classes) / math.sqrt(classes - 1)

    def frame_error(rows):
        product = rows @ g.offsets.T
        return np.linalg.norm(product / np.linalg.norm(product) - target)

    scaled = weight / np.linalg.norm(weight) - g.offsets / np.linalg.norm(g.offsets)
    products = np.array([w @ m for w, m in zip(weight, g.offsets, strict=True)])
    sizes = [np.linalg.norm(w) * np.linalg.norm(m) for w, m in zip(weight, g.offsets, strict=True)]
    values = (
        *(np.linalg.norm(scaled) ** 2, frame_error(weight), frame_error(weight - weight.mean(axis=0))),
        *(products.var(), products.std() / abs(products.mean()), (products / sizes).var()),
        *((products / sizes).mean(), np.linalg.norm(weight @ g.center + bias), at_the_centre(g)),
    )
    return dict(zip(names, values, strict=True))


def weight_ranks(weight: np.ndarray | None) -> dict[str, float]:
    shares = {f"approximate_rank_{q}": q for q in (0.9, 0.97, 0.99)}
    cuts = {f"cutoff_rank_{t}": t for t in (0.03, 0.01, 0.001, 0.0001)}
    names = ("stable_rank", "effective_rank", "participation_ratio", "nuclear_rank", "nuclear_frobenius")
    if weight is None:
        return dict.fromkeys((*names, *shares, *cuts), math.nan)
    sigmas = np.linalg.svd(weight.astype(np.float64).reshape(len(weight), -1), compute_uv=False)
    squares, relative = sigmas**2, sigmas / sigmas.sum()
    entropy = -sum(p * math.log(p) for p in relative if p > 0)
    values = (
        *(squares.sum() / squares.max(), math.exp(entropy), squares.sum() ** 2 / (squares**2).sum()),
        *(sigmas.sum() / sigmas.max(), sigmas.sum() / math.sqrt(squares.sum())),
    )
    found = dict(zip(names, values, strict=True))
    for name, share in shares.items():
        found[name] = next(m for m in range(1, len(sigmas) + 1) if relative[:m].sum() >= share - 1e-12)
    for name, cut in cuts.items():
        found[name] = sum(p >= cut for p in relative)
    return found


def nc_layer(values: Sequence[float]) -> dict[str, float]:
    below = [place for place, value in enumerate(values) if value < 0.2]
    persistent = [place for place in below if all(value < 0.2 for value in values[place:])]
    return {"first": min(below, default=math.nan), "persistent": min(persistent, default=math.nan)}


def mlp_svd(layer: NaiveLayer, g: Geometry) -> Values:
    """Cosines of right singular vectors with class means and with their leading directions."""
    if layer.reads != "linear":
        return [({"against": "mean", "weight_vector": 0, "class_vector": 0}, math.nan)]
    weight = layer.weight.astype(np.float64)
    _, sigmas, right = np.linalg.svd(weight, full_matrices=False)
    _, spread, directions = np.linalg.svd(g.means, full_matrices=False)
    noise = np.finfo(layer.features["train"].dtype).eps * 4 * max(map(np.linalg.norm, g.means))
    real = spread > max(math.sqrt(len(g.means)) * noise, spread[0] * max(g.means.shape) * EPS)
    known = sigmas > sigmas[0] * max(weight.shape) * EPS
    values = []
    for i, v in enumerate(right[:100]):
        for c, mean in list(zip(g.classes, g.means, strict=True))[:10]:
            cosine = abs(v @ mean) / np.linalg.norm(mean) if known[i] else math.nan
            values.append(({"against": "mean", "weight_vector": i, "class_vector": c}, cosine))
        for j, direction in enumerate(directions[:10]):
            cosine = abs(v @ direction) if known[i] and real[j] else math.nan
            values.append(({"against": "vector", "weight_vector": i, "class_vector": j}, cosine))
    return values


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
    right, agree = np.array(chosen) == truth, np.array(chosen) == network
    classes = sorted(set(truth.tolist()))
    return {
        "accuracy": right.mean(),
        "balanced_accuracy": np.mean([right[truth == c].mean() for c in classes]),
        "agreement": agree.mean(),
        "balanced_agreement": np.mean([agree[truth == c].mean() for c in classes]),
        "ties": ties,
    }


def covariance_values(g: Geometry) -> Values:
    """Eigenvalues of every class covariance, and of those within, between and in total."""
    classes, dim = g.means.shape
    kinds = [("within_single", *each) for each in zip(g.classes, g.covariances, g.counts, strict=True)]
    samples = sum(g.counts)
    kinds += [("within", -1, g.within, samples), ("between", -1, g.between, classes)]
    kinds += [("total", -1, g.within + g.between, samples)]
    values = []
    for kind, label, covariance, count in kinds:
        found = np.linalg.eigvalsh(covariance)[::-1].clip(0)[: min(count, dim, 64)]
        trace = np.trace(covariance)
        relative = found / trace if trace else found * math.nan
        scales = {"absolute": found, "relative": relative, "cumulative": np.cumsum(relative)}
        place = {"kind": kind, "class": label, "method": "exact"}
        for scale, numbers in scales.items():
            for index, number in enumerate(numbers):
                values.append(({**place, "sigma_index": index, "scale": scale}, number))
    return values


def stable_ranks(g: Geometry) -> Values:
    covariances = [*g.covariances, g.within]
    ranks = [np.trace(c) / np.linalg.eigvalsh(c)[-1] if np.trace(c) else math.nan for c in covariances]
    values = [("class", *each) for each in zip(g.classes, ranks[:-1], strict=True)]
    values += [("mean", -1, np.nanmean(ranks[:-1])), ("pooled", -1, ranks[-1])]
    names = ("statistic", "class")
    return [(dict(zip(names, row, strict=True)) | {"method": "exact"}, rank) for *row, rank in values]


def collapse_index(g: Geometry) -> float:
    inverse = np.linalg.pinv(g.within + g.between, rcond=1e-13, hermitian=True)
    return 1 - np.trace(inverse @ g.between) / np.linalg.matrix_rank(g.offsets, tol=1e-9)


def nc5(layer: NaiveLayer, labels: np.ndarray) -> float:
    """Mean over classes of the size of the cosine between a train mean and the mean of other images."""
    if "ood" not in layer.features:
        return math.nan
    other = layer.features["ood"].astype(np.float64).mean(axis=0)
    means = Geometry(layer.features["train"], labels, "balanced").means
    return np.mean([abs(m @ other) / np.linalg.norm(m) / np.linalg.norm(other) for m in means])


def angle(layer: NaiveLayer, g: Geometry, *, uncentred: bool) -> tuple[int, float]:
    """Mean cosine between the top right singular space of the weight and that of the centred means."""
    if layer.reads is None or layer.weight is None:
        return 0, math.nan
    weight, means = layer.weight.astype(np.float64), g.means if uncentred else g.offsets
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
    if uncentred:
        cosines = np.linalg.svd(right[: len(means)] @ left[:, : len(means)], compute_uv=False)
        return len(means), cosines.sum() / len(means)
    rank = min(len(means) - 1, numerical_rank(sigmas, reading.shape), numerical_rank(spread, columns.shape))
    if rank == 0:
        return 0, math.nan
    cosines = np.linalg.svd(right[:rank] @ left[:, :rank], compute_uv=False)
    return rank, cosines.sum() / rank


def numerical_rank(sigmas: np.ndarray, shape: tuple[int, ...]) -> int:
    return int((sigmas > sigmas[0] * max(shape) * EPS).sum())
