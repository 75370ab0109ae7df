"""ImageNet-LT: ImageNet's images, long-tailed by published lists of files."""

from __future__ import annotations

from dataclasses import replace

from layerscope.config import DataConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.data.file_list import read_list
from layerscope.data.folders import file_samples
from layerscope.data.samples import Loaded


def load_split_files(config: DataConfig, info: DatasetInfo) -> Loaded:
    """Read both lists; the images are read while training."""
    assert config.root is not None  # a config without it is refused
    lists = (
        read_list(config.root, "train", config.train_list),
        read_list(config.root, "test", config.test_list),
    )
    train, test = (file_samples(found.path, found.images) for found in lists)
    return Loaded(replace(info, train_samples=len(train), test_samples=len(test)), train, test)
