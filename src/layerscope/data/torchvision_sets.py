"""CIFAR, SVHN and STL-10 through torchvision, which checks each file against its published MD5."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from layerscope.config import DataConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.data.places import candidates, find_or_download
from layerscope.data.samples import Loaded, Samples
from layerscope.errors import DataError

#: The set's class in torchvision, which may also be the name of its folder.
PUBLISHED = {
    "mnist": "MNIST",
    "mnist_debug": "MNIST",
    "fashionmnist": "FashionMNIST",
    "kmnist": "KMNIST",
    "cifar10": "CIFAR10",
    "cifar100": "CIFAR100",
    "svhn": "SVHN",
    "stl10": "STL10",
}

#: What a folder that holds the set has in it, as far as one can tell without torchvision.
LANDMARKS = {
    "cifar10": "cifar-10-batches-py",
    "cifar100": "cifar-100-python",
    "svhn": "train_32x32.mat",
    "stl10": "stl10_binary",
}


def torchvision_places(name: str, root: Path | None) -> list[Path]:
    """Every folder in which the set ``name`` is looked for."""
    return candidates(root, (name, PUBLISHED[name]))


def load_torchvision(config: DataConfig, info: DatasetInfo) -> Loaded:
    """Find the set's files, download them when that is asked for, read and check them."""
    checksums = published_files(info.name)
    root = find_or_download(
        info.name,
        torchvision_places(info.name, config.root),
        lambda place: [name for name in checksums if not (place / name).is_file()],
        info.source,
        partial(_download, info.name) if config.download else None,
        config.root,
    )
    train, test = (_read_split(info.name, root, split) for split in ("train", "test"))
    return Loaded(replace(info, train_samples=len(train), test_samples=len(test)), train, test)


def published_class(name: str) -> Any:
    """Return torchvision's class of a set; torchvision is imported here, as few runs need its seconds."""
    from torchvision import datasets

    return getattr(datasets, PUBLISHED[name])


def published_files(name: str) -> dict[str, str]:
    """Return the files of a set, below its root, with their MD5."""
    published = published_class(name)
    if name == "svhn":
        return {file: md5 for _, file, md5 in (published.split_list[split] for split in ("train", "test"))}
    return {
        f"{published.base_folder}/{file}": md5 for file, md5 in published.train_list + published.test_list
    }


def _open(name: str, root: Path, split: str, download: bool = False) -> Any:
    published = published_class(name)
    which = {"train": split == "train"} if name.startswith("cifar") else {"split": split}
    return published(str(root), download=download, **which)


def _download(name: str, root: Path) -> None:
    for split in ("train", "test"):
        _open(name, root, split, download=True)


def _read_split(name: str, root: Path, split: str) -> Samples:
    try:
        stored = _open(name, root, split)
    except RuntimeError as error:
        raise _damaged(name, root, error) from error
    if name.startswith("cifar"):
        images, labels = stored.data.transpose(0, 3, 1, 2), stored.targets  # N H W C -> N C H W
    else:
        images, labels = stored.data, stored.labels
    return Samples(np.ascontiguousarray(images), np.asarray(labels, np.int64), f"{name} in {root} ({split})")


def _damaged(name: str, root: Path, error: RuntimeError) -> DataError:
    from torchvision.datasets.utils import check_integrity

    bad = [
        str(root / file)
        for file, md5 in published_files(name).items()
        if not check_integrity(root / file, md5)
    ]
    what = (
        f"{', '.join(bad)}: not the published content (MD5 differs)" if bad else f"{name} in {root}: {error}"
    )
    return DataError(f"{what}. Delete it and get the data again, for example with Data.download: True.")
