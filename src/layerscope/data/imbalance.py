"""How many samples each class keeps, and which. No torch here: preview counts them on a login node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from layerscope.config.sections.imbalance import ImbalanceConfig
from layerscope.errors import DataError

Labels = npt.NDArray[np.int64]

_ROUNDING = 1e-12  # 100 · 0.29 is 28.999999999999996 in floating point, and 29 in truth


def class_sizes(settings: ImbalanceConfig, available: Sequence[int]) -> tuple[int, ...]:
    r"""Samples that each class keeps of those ``available``.

    ``exp``: :math:`n_c = \max(\lfloor n_\max f^{c/(K-1)} \rfloor, m)` (Cao et al. 2019, arXiv:1906.07413);
    ``step``: :math:`n_\max` for the first half of the classes (of an odd number, the larger half), then
    :math:`\max(\lfloor n_\max f \rfloor, m)`; ``native``: everything. Class 0 is the most frequent one. n_max
    is the size of the smallest class, so that the sizes are exact whatever the data: factor 1 is balanced.

    Raises
    ------
    DataError
        A class would get no sample, or there are fewer than ``min-per-class``.
    """
    most = min(available)
    if most < settings.min_per_class:
        raise DataError(
            f"Data.imbalance.min-per-class is {settings.min_per_class}, but class "
            f"{list(available).index(most)} has only {most} training samples. Lower it."
        )
    sizes = tuple(_size(settings, most, number, available) for number in range(len(available)))
    empty = [number for number, size in enumerate(sizes) if size == 0]
    if empty:
        raise DataError(
            f"Data.imbalance leaves no training sample to {len(empty)} of {len(sizes)} classes, the first is "
            f"class {empty[0]}: the smallest class has {most}. Raise factor, or set min-per-class to 1."
        )
    return sizes


def _size(settings: ImbalanceConfig, most: int, number: int, available: Sequence[int]) -> int:
    if settings.factor is None:
        return available[number]
    last = max(len(available) - 1, 1)
    falling = number / last if settings.profile == "exp" else float(2 * number >= len(available))
    return max(int(most * settings.factor**falling * (1 + _ROUNDING)), settings.min_per_class)


def imbalanced(labels: Labels, settings: ImbalanceConfig, classes: int, seed: int) -> Labels:
    """Choose the samples that are kept, at random within each class; return their indices, ascending.

    With one seed, a smaller factor keeps a part of what a larger one keeps.

    Raises
    ------
    DataError
        As in :func:`class_sizes`.
    """
    sizes = class_sizes(settings, np.bincount(labels, minlength=classes).tolist())
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    kept = [shuffled[labels[shuffled] == number][:size] for number, size in enumerate(sizes)]
    return np.sort(np.concatenate(kept))
