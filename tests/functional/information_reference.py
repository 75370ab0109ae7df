"""Mutual information by loops over the definitions, in numpy: slow, plain, and independent of the package."""

import math

import numpy as np
from scipy.special import digamma


def distances_to(points, i, norm):
    """Distances of one sample to all others."""
    offsets = np.delete(points - points[i], i, axis=0)
    return np.abs(offsets).max(axis=1) if norm == "chebyshev" else np.sqrt((offsets**2).sum(axis=1))


def scaled(points):
    points = points.reshape(len(points), -1)
    return (points - points.mean(axis=0)) / points.std(axis=0)


def ksg(x, y, k=3, norm="euclidean"):
    """Kraskov et al. (2004), eq. 8; samples with k others in their place as Gao et al. (2017) have them."""
    samples, total = len(x), 0.0
    for i in range(samples):
        in_x, in_y = distances_to(x, i, norm), distances_to(y, i, norm)
        joint = np.maximum(in_x, in_y)
        radius = np.sort(joint)[k - 1]
        if radius == 0:
            near, n_x, n_y = 1 + (joint == 0).sum(), (in_x == 0).sum(), (in_y == 0).sum()
        else:  # strictly nearer, by more than rounding
            near, n_x, n_y = k, *((part < radius * (1 - 1e-12)).sum() for part in (in_x, in_y))
        total += digamma(near) + digamma(samples) - digamma(n_x + 1) - digamma(n_y + 1)
    return total / samples


def ross(x, labels, k=3, norm="euclidean"):
    """Ross (2014): the k-th neighbour of the same label, then all samples within its distance."""
    samples, total = len(x), 0.0
    for i in range(samples):
        distances = distances_to(x, i, norm)
        same = distances[np.delete(labels, i) == labels[i]]
        near = min(k, len(same))
        radius = np.sort(same)[near - 1]
        within = (distances < radius * (1 - 1e-12)).sum() + 1
        total += digamma(samples) + digamma(near) - digamma(len(same) + 1) - digamma(within)
    return total / samples


def discrete(table):
    table = np.asarray(table, dtype=float)
    table = table / table.sum()
    total = 0.0
    for a, row in enumerate(table):
        for b, share in enumerate(row):
            if share > 0:
                total += share * math.log(share / (table[a].sum() * table[:, b].sum()))
    return total


def gaussian(x, y):
    """By canonical correlations, not by determinants."""
    left, right = (np.linalg.qr(part - part.mean(axis=0))[0] for part in (x, y))
    correlations = np.linalg.svd(left.T @ right, compute_uv=False)
    return -0.5 * np.log1p(-(correlations**2)).sum()
