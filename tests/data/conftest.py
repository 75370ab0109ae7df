"""Writers of small data sets, in the formats of the real ones."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

IDX_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


@pytest.fixture(autouse=True)
def nothing_of_this_machine(tmp_path_factory, monkeypatch):
    """Only what a test writes can be found: no ./data, no $LAYERSCOPE_DATA."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.delenv("LAYERSCOPE_DATA", raising=False)


@pytest.fixture
def write_idx() -> Callable[..., Path]:
    def write(folder: Path, *, train: int = 30, test: int = 20, zipped: bool = True, size: int = 28) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        generator = np.random.default_rng(0)
        for split, count in (("train", train), ("test", test)):
            images = generator.integers(256, size=(count, size, size), dtype=np.uint8)
            labels = (np.arange(count) % 10).astype(np.uint8)
            for name, array in zip(IDX_FILES[split], (images, labels), strict=True):
                content = idx_bytes(array)
                if zipped:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
                else:
                    (folder / name).write_bytes(content)
        return folder

    return write


@pytest.fixture
def write_images() -> Callable[..., Path]:
    """Write ``per_class`` PNG files in one folder per class, each a picture of its own."""

    def write(folder: Path, classes: list[str], per_class: int, size: tuple[int, int] = (12, 10)) -> Path:
        generator = np.random.default_rng(len(folder.name))
        for name in classes:
            (folder / name).mkdir(parents=True)
            for number in range(per_class):
                pixels = generator.integers(256, size=(*size, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / name / f"{number:03}.png")
        return folder

    return write


@pytest.fixture
def write_npz(tmp_path) -> Callable[..., Path]:
    """Write an ``.npz`` of 12 + 6 images of 5 x 4 in 3 classes, with ``changes`` (None removes an array)."""

    def write(**changes: object) -> Path:
        generator = np.random.default_rng(0)
        arrays = {
            "train_images": generator.integers(256, size=(12, 5, 4), dtype=np.uint8),
            "train_labels": np.arange(12) % 3,
            "test_images": generator.integers(256, size=(6, 5, 4), dtype=np.uint8),
            "test_labels": np.arange(6) % 3,
        }
        path = tmp_path / "set.npz"
        np.savez(path, **{name: array for name, array in (arrays | changes).items() if array is not None})
        return path

    return write
