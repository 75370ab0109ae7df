"""scikit-learn's 8 x 8 digits: real data that needs no file and no network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layerscope.config import DataConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.data.samples import Loaded, Samples

FILE = Path("datasets", "data", "digits.csv.gz")
"""Where scikit-learn keeps them."""


def load_digits(config: DataConfig, info: DatasetInfo) -> Loaded:
    """Read the digits; every fifth sample is for testing. Their 17 grey levels become 0, 15, ..., 240."""
    values, labels = _published()
    images = (values * 15).astype(np.uint8).reshape(-1, 1, 8, 8)
    samples = Samples(images, labels.astype(np.int64), "scikit-learn's digits")
    index = np.arange(len(samples))
    return Loaded(info, samples.take(index[index % 5 != 0]), samples.take(index[index % 5 == 0]))


def _published() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values (N, 64) and labels (N,), from the file: scikit-learn takes as long as torch to import."""
    package = find_spec("sklearn")
    file = Path(package.origin).parent / FILE if package and package.origin else FILE
    if file.is_file():
        table = np.loadtxt(file, delimiter=",")
        return table[:, :-1], table[:, -1]
    from sklearn.datasets import load_digits as published

    values, labels = published(return_X_y=True)
    return values, labels
