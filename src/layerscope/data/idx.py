"""MNIST and its likes: four IDX files, plain or gzipped.

IDX: two zero bytes, one byte for the type (8 = bytes), one for the number of axes, the length of each axis as
big-endian uint32, then the values.
"""

from __future__ import annotations

import gzip
import logging
import math
import zlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from layerscope.config import DataConfig
from layerscope.data.catalog import DATASETS, DatasetInfo
from layerscope.data.places import candidates, find_or_download
from layerscope.data.samples import Loaded, Samples
from layerscope.data.torchvision_sets import PUBLISHED, published_class
from layerscope.errors import DataError

logger = logging.getLogger(__name__)

#: Images and labels of the two splits.
FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}

_ALSO = {"fashionmnist": ("fashion-mnist",), "mnist_debug": ("mnist",)}

#: Where a package manager puts the set.
INSTALLED = {"fashionmnist": ("/usr/share/datasets/fashion-mnist",)}

_REMEDY = "Delete it and get the data again"


def load_idx(config: DataConfig, info: DatasetInfo) -> Loaded:
    """Find the four files, download them when that is asked for, read and check them."""
    folder = _find(config, info)
    train, test = (_read_split(folder, split, info) for split in FILES)
    if info.name == "mnist_debug":
        train, test = (samples.take(slice(1024)) for samples in (train, test))
    else:
        _say_when_counts_differ(info, train, test, folder)
    return Loaded(replace(info, train_samples=len(train), test_samples=len(test)), train, test)


def read_idx(path: Path, axes: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file of bytes with ``axes`` axes.

    Raises
    ------
    DataError
        Unreadable or torn, another kind of file, or not as long as its header says.
    """
    content = _content(path)
    magic = int.from_bytes(content[:4], "big")
    expected = 0x0800 + axes
    if magic != expected:
        raise DataError(
            f"{path} is no IDX file of bytes with {axes} axes: its magic number is {magic:#010x}, not "
            f"{expected:#010x}. {_REMEDY}."
        )
    start = 4 + 4 * axes
    shape = tuple(np.frombuffer(content[4:start].ljust(4 * axes, b"\0"), ">u4").tolist())
    needed, held = math.prod(shape), len(content) - start
    if needed != held:
        raise DataError(
            f"{path} is torn: its header announces {needed} bytes {shape}, it holds {max(held, 0)}. "
            f"{_REMEDY}."
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def idx_places(name: str, root: Path | None) -> list[Path]:
    """Every folder in which the set ``name`` is looked for."""
    folder = PUBLISHED[name]
    subfolders = (f"{folder}/raw", folder, name, *_ALSO.get(name, ()))
    return candidates(root, subfolders, INSTALLED.get(name, ()))


def _find(config: DataConfig, info: DatasetInfo) -> Path:
    places = idx_places(info.name, config.root)
    fetch = partial(_download, info.name) if config.download else None
    return find_or_download(info.name, places, missing_idx, info.source, fetch, config.root)


def _download(name: str, root: Path) -> None:
    published_class(name)(str(root), download=True)


def missing_idx(folder: Path) -> list[str]:
    """The files that a folder lacks."""
    names = [name for pair in FILES.values() for name in pair]
    return [name for name in names if not _path(folder, name).is_file()]


def _path(folder: Path, name: str) -> Path:
    plain = folder / name
    return plain if plain.is_file() else folder / f"{name}.gz"


def _read_split(folder: Path, split: str, info: DatasetInfo) -> Samples:
    image_file, label_file = (_path(folder, name) for name in FILES[split])
    images = read_idx(image_file, axes=3)
    if images.shape[1:] != (info.height, info.width):
        raise DataError(
            f"{image_file} holds images of {images.shape[1]} x {images.shape[2]}, {info.name} has "
            f"{info.height} x {info.width}. Let Data.root name the folder of {info.name}."
        )
    labels = read_idx(label_file, axes=1).astype(np.int64)
    return Samples(images[:, None], labels, f"{image_file} with {label_file.name}")


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}. {_REMEDY}.") from error


def _say_when_counts_differ(info: DatasetInfo, train: Samples, test: Samples, folder: Path) -> None:
    known = DATASETS[info.name]
    held, published = (len(train), len(test)), (known.train_samples, known.test_samples)
    if held != published:
        logger.warning(
            "%s holds %d training and %d test images, not the %d and %d of the published %s",
            folder, *held, *published, info.name,
        )  # fmt: skip
