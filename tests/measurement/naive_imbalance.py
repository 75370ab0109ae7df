"""Measures of imbalance straight from their definitions, for the naive reference."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy.linalg import orthogonal_procrustes


def groups_of(counts, rule):
    """Class numbers of the head, the middle and the tail."""
    classes = range(len(counts))
    if rule == "shots":
        return {
            "head": [c for c in classes if counts[c] > 100],
            "mid": [c for c in classes if 20 <= counts[c] <= 100],
            "tail": [c for c in classes if counts[c] < 20],
        }
    order = sorted(classes, key=lambda c: (-counts[c], c))
    tail = order[len(order) - math.ceil(len(order) / 3) :]
    rest = [c for c in order if c not in tail]
    head = rest[: math.ceil(len(rest) / 2)]
    return {"head": head, "mid": [c for c in rest if c not in head], "tail": tail}


PROVENANCE = {"thirds": "inferred", "shots": "published"}


def recalls(logits, labels, classes):
    found = []
    for c in range(classes):
        right = [int(np.argmax(row)) == c for row, label in zip(logits, labels, strict=True) if label == c]
        found.append(sum(right) / len(right) if right else math.nan)
    return found


def group_accuracy(logits, labels, counts):
    recall = recalls(logits, labels, len(counts))
    right = [int(np.argmax(row)) == label for row, label in zip(logits, labels, strict=True)]
    whole = {"overall": sum(right) / len(right), "balanced": np.nanmean(recall)}
    values = [
        ({"group": name, "rule": "none", "provenance": "published"}, value) for name, value in whole.items()
    ]
    for rule, provenance in PROVENANCE.items():
        for group, members in groups_of(counts, rule).items():
            known = [recall[c] for c in members if not math.isnan(recall[c])]
            value = sum(known) / len(known) if known else math.nan
            values.append(({"group": group, "rule": rule, "provenance": provenance}, value))
    return values


def class_recall(logits, labels, counts):
    recall = recalls(logits, labels, len(counts))
    return [({"class": c, "train_samples": counts[c]}, value) for c, value in enumerate(recall)]


def drift(geometry, train, counts, classifier=None):
    """``geometry`` of one split, ``train`` that of the train split or None there, ``classifier`` its rows."""
    means, number = geometry.means, len(geometry.means)
    centre = sum(means) / number
    offsets = [mean - centre for mean in means]
    rms = math.sqrt(sum(m @ m for m in offsets) / number)
    samples = sum(n * mean for n, mean in zip(geometry.counts, means, strict=True)) / sum(geometry.counts)
    values = [("norm", -1, np.linalg.norm(centre)), ("relative", -1, np.linalg.norm(centre) / rms)]
    values.append(("gap", -1, np.linalg.norm(samples - centre)))
    distances = etf_distances(np.array(offsets) / rms)
    values.append(("etf", -1, math.nan if distances is None else np.mean(distances)))
    if distances is not None:
        values += [("etf", c, d) for c, d in zip(geometry.classes, distances, strict=True)]
    if train is not None:
        moved = {
            c: np.linalg.norm(means[geometry.classes.index(c)] - train.means[train.classes.index(c)])
            for c in geometry.classes
        }
        values.append(("train_test", -1, np.mean(list(moved.values()))))
        values += [("train_test", c, d) for c, d in moved.items()]
    if classifier is not None:
        values += prior(centre, classifier, counts)
    return keyed(values)


def prior(centre, classifier, counts):
    if len(set(counts)) == 1 or classifier is False:
        return [("prior_slope", -1, math.nan), ("prior_r2", -1, math.nan)]
    x, y = np.log(counts), classifier @ centre
    slope = np.polyfit(x, y, 1)[0]
    return [("prior_slope", -1, slope), ("prior_r2", -1, np.corrcoef(x, y)[0, 1] ** 2)]


def weight_drift(weight):
    if weight is None:
        return keyed([("weight_norm", -1, math.nan), ("weight_relative", -1, math.nan)])
    weight = weight.astype(np.float64)
    centre = weight.mean(axis=0)
    rms = math.sqrt(((weight - centre) ** 2).sum(axis=1).mean())
    norm = np.linalg.norm(centre)
    return keyed([("weight_norm", -1, norm), ("weight_relative", -1, norm / rms)])


def keyed(values):
    return [
        ({"statistic": s, "class": c, "provenance": "inferred" if s == "norm" else "defined"}, value)
        for s, c, value in values
    ]


def etf_distances(scaled):
    """Distances of the rows from the closest ETF, by SciPy's Procrustes in a space wide enough for both."""
    classes, dim = scaled.shape
    if dim < classes - 1 or np.linalg.matrix_rank(scaled) < classes - 1:
        return None
    simplex = math.sqrt(classes / (classes - 1)) * (np.eye(classes) - 1 / classes)
    if dim == classes - 1:  # the simplex in its own space
        left, sigmas, _ = np.linalg.svd(simplex)
        simplex = (left * sigmas)[:, : classes - 1]
        classes = dim
    padded = np.zeros((len(scaled), dim))
    padded[:, : simplex.shape[1]] = simplex
    turn, _ = orthogonal_procrustes(padded, scaled)
    return [np.linalg.norm(row) for row in scaled - padded @ turn]


def minority(vectors, rows, classes, counts):
    """``rows`` (n, D) of the ``classes``, or None."""
    values = []
    for rule, provenance in PROVENANCE.items():
        groups = groups_of(counts, rule)
        found = dict.fromkeys(
            ("tail_cosine", "head_cosine", "head_tail_cosine", "head_tail_angle", "norm_ratio"), math.nan
        )
        if rows is not None:
            head, tail = (
                [rows[classes.index(c)].astype(np.float64) for c in groups[group] if c in classes]
                for group in ("head", "tail")
            )
            for name, group in (("tail_cosine", tail), ("head_cosine", head)):
                cosines = [cosine(a, b) for a, b in itertools.combinations(group, 2)]
                found[name] = np.mean(cosines) if cosines else math.nan
            if head and tail:
                cosines = [cosine(a, b) for a in head for b in tail]
                found["head_tail_cosine"] = np.mean(cosines)
                found["head_tail_angle"] = np.mean(np.degrees(np.arccos(cosines)))
                lengths = [np.mean([np.linalg.norm(v) for v in group]) for group in (head, tail)]
                found["norm_ratio"] = lengths[0] / lengths[1]
        for statistic, value in found.items():
            key = {"vectors": vectors, "statistic": statistic, "rule": rule, "provenance": provenance}
            values.append((key, value))
    return values


def cosine(a, b):
    return a @ b / (np.linalg.norm(a) * np.linalg.norm(b))


def seli(vectors, rows, classes, counts):
    """From the singular value decomposition of the encoded labels of every training sample."""
    if rows is None:
        return [({"vectors": vectors}, math.nan)]
    number = len(counts)
    labels = np.repeat(np.arange(number), counts)
    encoded = np.eye(number)[:, labels] - 1 / number  # (K, N)
    left, sigmas, right = np.linalg.svd(encoded, full_matrices=False)
    left, sigmas, right = left[:, :-1], sigmas[:-1], right[:-1]
    if vectors == "weights":
        target = left @ np.diag(sigmas) @ left.T
    else:
        of_samples = right.T @ np.diag(sigmas) @ right  # equal for samples of one class
        first = [int(np.searchsorted(labels, c)) for c in classes]
        target = of_samples[np.ix_(first, first)]
    offsets = rows.astype(np.float64) - rows.astype(np.float64).mean(axis=0)
    gram = offsets @ offsets.T
    return [
        ({"vectors": vectors}, np.linalg.norm(gram / np.linalg.norm(gram) - target / np.linalg.norm(target)))
    ]
