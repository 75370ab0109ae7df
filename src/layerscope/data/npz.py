"""What an ``.npz`` file of the user says of itself. No torch here: preview reads the headers only."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from layerscope.errors import DataError

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

_PICKLED = (
    "saved as Python objects (a pickle, which can run code when it is opened). "
    "Save plain arrays of one number type"
)


@dataclass(frozen=True)
class NpzSizes:
    """What the headers and labels of an ``.npz`` tell of it."""

    channels: int
    height: int
    width: int
    classes: int
    train_samples: int
    test_samples: int


def describe_npz(root: Path | None) -> NpzSizes:
    """Read the shapes of the images and the number of classes; the images themselves stay on disk."""
    path = npz_path(root)
    train, test = (_header_shape(path, name) for name in ("train_images", "test_images"))
    channels, height, width = image_shape(path, "train_images", train)
    return NpzSizes(channels, height, width, number_of_classes(path), train[0], test[0])


def npz_path(root: Path | None) -> Path:
    """Return ``Data.root`` as the path of a zip file that holds the four arrays."""
    if root is None:
        raise DataError("dataset-id is arrays, but Data.root is not set. Let it name an .npz file.")
    path = Path(root).expanduser()
    if not path.is_file():
        raise DataError(f"{path} is no file. For dataset-id: arrays, let Data.root name an .npz file.")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is not an .npz file, or a torn one. Write it again with numpy.savez.")
    present = _array_names(path)
    lacking = [name for name in ARRAYS if name not in present]
    if lacking:
        raise DataError(
            f"{path} lacks {', '.join(lacking)}; it holds {', '.join(present) or 'nothing'}. Add them."
        )
    return path


def read_array(path: Path, name: str) -> npt.NDArray[Any]:
    """Read one array, never a pickled one."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays[name])
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable(path, name, error) from error


def number_of_classes(path: Path) -> int:
    """Return the file's ``num_classes``, or else one more than the largest training label."""
    labels = read_labels(path, "train_labels")
    needed = int(labels.max()) + 1
    if "num_classes" not in _array_names(path):
        return needed
    given = read_array(path, "num_classes")
    if given.size != 1 or given.dtype.kind not in "iu" or given.item() < 1:
        raise DataError(f"{path}: num_classes is {given!r}; it must be one whole number of at least 1.")
    return int(given.item())


def largest_in_npz(root: Path | None) -> int:
    """How many samples of one class there are in one split, at most."""
    path = npz_path(root)
    splits = (read_labels(path, f"{split}_labels") for split in ("train", "test"))
    return max(int(np.unique(labels, return_counts=True)[1].max()) for labels in splits)


def read_labels(path: Path, name: str) -> npt.NDArray[np.int64]:
    """Read labels: whole numbers, one per image, at least one."""
    labels = read_array(path, name)
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"{path}: {name} is {labels.dtype} of shape {labels.shape}; labels are whole numbers of shape "
            f"(N,). Convert with .astype('int64')."
        )
    if not labels.size:
        raise DataError(f"{path}: {name} is empty. A split needs at least one sample.")
    return labels.astype(np.int64)


def image_shape(path: Path, name: str, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return channels, height and width of images of ``shape`` (N, ...)."""
    axis = channel_axis(path, name, shape)
    if 0 in shape:
        raise DataError(f"{path}: {name} is empty, of shape {shape}. A split needs at least one image.")
    if axis is None:
        return 1, shape[1], shape[2]
    return (shape[1], shape[2], shape[3]) if axis == 1 else (shape[3], shape[1], shape[2])


def channel_axis(path: Path, name: str, shape: tuple[int, ...]) -> int | None:
    """Return which axis of (N, ...) counts channels: the shorter of second and last, the second at a tie."""
    if len(shape) == 3:
        return None
    if len(shape) == 4:
        return 1 if shape[1] <= shape[3] else 3
    raise DataError(
        f"{path}: {name} has shape {shape}; images are (N, H, W), (N, C, H, W) or (N, H, W, C). "
        "Reshape vectors to (N, 1, 1, D)."
    )


def _array_names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return [Path(name).stem for name in archive.namelist()]


def _header_shape(path: Path, name: str) -> tuple[int, ...]:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as stream:
            version = np.lib.format.read_magic(stream)
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            shape, _, dtype = read(stream)
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise _unreadable(path, name, error) from error
    if dtype.hasobject:
        raise DataError(f"{path}: {name} is {_PICKLED}.")
    return tuple(shape)


def _unreadable(path: Path, name: str, error: Exception) -> DataError:
    if "allow_pickle" in str(error):
        return DataError(f"{path}: {name} is {_PICKLED}.")
    return DataError(f"{path}: {name} cannot be read ({error}). Write the file again with numpy.savez.")
