"""scikit-learn's 8 x 8 digits: real data that needs no file and no network."""

from __future__ import annotations

import numpy as np

from layerscope.config import DataConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.data.samples import Loaded, Samples


def load_digits(config: DataConfig, info: DatasetInfo) -> Loaded:
    """Read the digits; every fifth sample is for testing. Their 17 grey levels become 0, 15, ..., 240."""
    from sklearn.datasets import load_digits as published  # takes a second to import

    values, labels = published(return_X_y=True)
    images = (values * 15).astype(np.uint8).reshape(-1, 1, 8, 8)
    samples = Samples(images, labels.astype(np.int64), "scikit-learn's digits")
    index = np.arange(len(samples))
    return Loaded(info, samples.take(index[index % 5 != 0]), samples.take(index[index % 5 == 0]))
