"""Neural collapse by its definitions: numpy, loops, D×D matrices. Slow, and independent of the package."""

import itertools
import math

import numpy as np


def weights_of(labels, weighting):
    """Weight of each class 0 … K-1, all of which have samples."""
    counts = np.bincount(labels)
    return counts / counts.sum() if weighting == "sample" else np.full(len(counts), 1 / len(counts))


def class_means(features, labels):
    return np.stack([features[labels == c].mean(axis=0) for c in range(labels.max() + 1)])


def class_covariances(features, labels):
    """Biased covariance of each class (K, D, D)."""
    found = []
    for c, mean in enumerate(class_means(features, labels)):
        rows = features[labels == c] - mean
        found.append(sum(np.outer(row, row) for row in rows) / len(rows))
    return np.stack(found)


def within_covariance(features, labels, weighting):
    return np.einsum("c,cde->de", weights_of(labels, weighting), class_covariances(features, labels))


def between_covariance(means, weights):
    center = sum(w * mean for w, mean in zip(weights, means, strict=True))
    return sum(w * np.outer(mean - center, mean - center) for w, mean in zip(weights, means, strict=True))


def nc1(within, between, classes):
    """tr(Σw Σb⁺)/K by the eigenvectors of Σb, of which at most K-1 count."""
    values, vectors = np.linalg.eigh(between)
    total = 0.0
    for value, vector in zip(values, vectors.T, strict=True):
        if value > 1e-11 * values.max():
            total += vector @ within @ vector / value
    return total / classes


def cdnv(variances, means):
    """V_ij of every pair i < j."""
    pairs = itertools.combinations(range(len(means)), 2)
    return [
        (variances[i] + variances[j])
        / (2 * sum((a - b) ** 2 for a, b in zip(means[i], means[j], strict=True)))
        for i, j in pairs
    ]


def cosines(means, weights):
    """Cosine of every pair i < j of centred means."""
    rows = means - weights @ means
    pairs = itertools.combinations(rows, 2)
    return [float(a @ b) / math.sqrt(float(a @ a) * float(b @ b)) for a, b in pairs]


def etf_error(means, weights):
    classes = len(means)
    rows = means - weights @ means
    gram = np.array([[a @ b for b in rows] for a in rows])
    gram = gram / math.sqrt((gram**2).sum())
    total = 0.0
    for i, j in itertools.product(range(classes), repeat=2):
        target = ((i == j) - 1 / classes) / math.sqrt(classes - 1)
        total += (gram[i, j] - target) ** 2
    return math.sqrt(total)


def principal_cosines(first, second):
    """Cosines of the principal angles: square roots of the eigenvalues of the projector product."""
    projector = first @ first.T @ second @ second.T
    squares = np.sort(np.linalg.eigvals(projector).real)[::-1]
    return np.sqrt(squares[: min(first.shape[1], second.shape[1])].clip(0, 1))
