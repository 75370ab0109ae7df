"""Which training samples are kept, and which of their labels are redrawn. Same seed, same choice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from layerscope.data.catalog import check_subset, held_out

Labels = npt.NDArray[np.int64]


def stratified(labels: Labels, size: int, seed: int) -> Labels:
    """Choose ``size`` samples at random, each class in proportion; return their indices, ascending.

    The k-th sample drawn of a class of n has rank k/n, and the lowest ranks win. So no class has two samples
    before each has one, and equal classes differ by at most one.

    Raises
    ------
    DataError
        ``size`` is more than there are.
    """
    check_subset(size, len(labels))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    grouped = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, starts, counts = np.unique(labels[grouped], return_index=True, return_counts=True)
    place = np.arange(len(labels)) - np.repeat(starts, counts)  # 0, 1, ... within each class
    rank = np.empty(len(labels))
    rank[grouped] = place / np.repeat(counts, counts)
    # Ranks that tie are decided by the shuffle, not by the number of the class.
    lowest = shuffled[np.argsort(rank[shuffled], kind="stable")][:size]
    return np.sort(lowest)


def validation_places(labels: Labels, share: float, seed: int) -> Labels:
    """Choose the samples to hold out, each class in proportion; return their indices, ascending.

    What stays is chosen first: a class with a single sample keeps it for training.

    Raises
    ------
    DataError
        One of the two splits would be empty.
    """
    kept = stratified(labels, len(labels) - held_out(len(labels), share), seed)
    return np.setdiff1d(np.arange(len(labels)), kept, assume_unique=True)


def partly_random(labels: Labels, share: float, classes: int, seed: int) -> Labels:
    """Redraw exactly round(share * N) labels, uniformly over all ``classes`` (the old one included)."""
    generator = np.random.default_rng(seed)
    chosen = generator.permutation(len(labels))[: round(share * len(labels))]
    changed = labels.copy()
    changed[chosen] = generator.integers(classes, size=len(chosen))
    return changed
