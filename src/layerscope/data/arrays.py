"""A user's own images, from one ``.npz`` file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from layerscope.config import DataConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.data.normalise import channel_moments
from layerscope.data.npz import channel_axis, npz_path, read_array, read_labels
from layerscope.data.samples import Loaded, Samples
from layerscope.errors import DataError


def load_arrays(config: DataConfig, info: DatasetInfo) -> Loaded:
    """Read both splits and measure the pixels of the training images.

    Raises
    ------
    DataError
        A pickled or unreadable array, another type or shape, a value that is not finite.
    """
    path = npz_path(config.root)
    train, test = (_read_split(path, split) for split in ("train", "test"))
    for name, samples in (("train_images", train), ("test_images", test)):
        shape = samples.images.shape[1:]
        if shape != (info.channels, info.height, info.width):
            raise DataError(
                f"{path}: {name} are {shape} (C, H, W), train_images {train.images.shape[1:]}. "
                "All images of a set have one shape."
            )
    mean, std = channel_moments(train.images)
    return Loaded(replace(info, mean=mean, std=std), train, test)


def _read_split(path: Path, split: str) -> Samples:
    images = _read_images(path, f"{split}_images")
    return Samples(images, read_labels(path, f"{split}_labels"), f"{path} ({split})")


def _read_images(path: Path, name: str) -> npt.NDArray[Any]:
    images = read_array(path, name)
    axis = channel_axis(path, name, images.shape)
    if images.dtype != np.uint8:
        images = _finite_float32(path, name, images)
    if axis is None:
        return images[:, None]  # N H W -> N 1 H W
    return np.ascontiguousarray(np.moveaxis(images, axis, 1))


def _finite_float32(path: Path, name: str, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if images.dtype.kind != "f":
        raise DataError(
            f"{path}: {name} is {images.dtype}; images are uint8 (0 to 255) or floats. Convert with "
            ".astype('uint8') or .astype('float32')."
        )
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes inf, and is named below
        values = images.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        index = ", ".join(str(int(part)) for part in np.unravel_index(bad[0], values.shape))
        raise DataError(
            f"{path}: {name}[{index}] is {values.flat[bad[0]]} ({bad.size} such). "
            "Remove or replace what is not a finite number."
        )
    return values
