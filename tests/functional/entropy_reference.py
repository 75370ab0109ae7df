"""Entropies of diffusion operators and of bins by their definitions: numpy and loops, nothing of ours."""

import math
from collections import Counter

import numpy as np
from scipy.special import ive


def kernel(points, sigma):
    return np.array([[math.exp(-sum((a - b) ** 2) / (2 * sigma**2)) for b in points] for a in points])


def operator(points, sigma, alpha):
    """The stochastic matrix P, not its conjugate."""
    weights = kernel(points, sigma)
    degrees = weights.sum(axis=1)
    adjusted = weights / np.outer(degrees**alpha, degrees**alpha)
    return adjusted / adjusted.sum(axis=1, keepdims=True)


def entropy(probabilities):
    return -sum(p * math.log(p) for p in np.ravel(probabilities) if p > 0)


def spectral_entropy(matrix, t=1.0):
    powers = np.abs(np.linalg.eigvals(matrix)) ** t
    return entropy(powers / powers.sum())


def dse(points, sigma, t=1.0, alpha=0.0):
    return spectral_entropy(operator(points, sigma, alpha), t)


def torus_spectrum(count, dims, sigma):
    r"""Eigenvalues of the diffusion on a grid on a torus, each to a relative precision: Bessel functions.

    The kernel on a circle is :math:`e^{z(\cos\theta-1)}`, z = 1/sigma**2: a circulant matrix, with the
    eigenvalues :math:`n e^{-z}\sum_j I_{k+jn}(z)`; those of a product of circles are the products.
    """
    orders = np.arange(count)
    circle = sum(ive(np.abs(orders + j * count), 1 / sigma**2) for j in range(-30, 31))
    values = np.ones(1)
    for _ in range(dims):
        values = np.outer(values, circle / circle.max()).ravel()
    return values


def entry_entropy(points, sigma, alpha):
    return entropy(operator(points, sigma, alpha) / len(points))


def dsmi(points, labels, sigma, t=1.0):
    """S(X) - sum p(y) S(X|y)."""
    shares = {y: float(np.mean(labels == y)) for y in set(labels.tolist())}
    within = sum(p * dse(points[labels == y], sigma, t) for y, p in shares.items())
    return dse(points, sigma, t) - within


def words(features, bins, low, high):
    """Tuples of bin numbers, the right edge in the last bin."""
    found = []
    for row in features:
        cells = [
            0 if b <= a else min(math.floor((value - a) / (b - a) * bins), bins - 1)
            for value, a, b in zip(row, low, high, strict=True)
        ]
        found.append(tuple(cells))
    return found


def entropy_of_words(found):
    return entropy([count / len(found) for count in Counter(found).values()])


def information(found, labels):
    """I(T;Y) as the divergence of the joint distribution from the product."""
    total = len(found)
    joint, left, right = Counter(zip(found, labels, strict=True)), Counter(found), Counter(labels)
    return sum(n / total * math.log(n * total / (left[w] * right[y])) for (w, y), n in joint.items())
