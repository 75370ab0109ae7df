"""Which images a folder per class holds. No torch here: preview counts them on a login node."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from layerscope.errors import DataError

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class FolderSizes:
    """What the folders of an image set tell of it."""

    classes: int
    train_samples: int
    test_samples: int


def describe_folders(root: Path | None, train_dir: Path | None, test_dir: Path | None) -> FolderSizes:
    """Count the classes and images below the training and the test folder."""
    train, test = split_folders(root, train_dir, test_dir)
    classes = class_names(train)
    return FolderSizes(
        len(classes), len(images_by_class(train, classes)), len(images_by_class(test, classes))
    )


def split_folders(root: Path | None, train_dir: Path | None, test_dir: Path | None) -> tuple[Path, Path]:
    """Return the folders of the two splits: the ones given, or ``train`` and ``test``/``val`` in ``root``."""
    train = _first_folder("training", _given_or_below(train_dir, root, ("train",)))
    test = _first_folder("test", _given_or_below(test_dir, root, ("test", "val")))
    return train, test


def class_names(folder: Path) -> list[str]:
    """Return the names of the folders in ``folder``, sorted; a class is numbered by its place here."""
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and entry.name[0] != ".")
    if not names:
        raise DataError(f"{folder} holds no class folders. It needs one folder of images per class.")
    return names


def images_by_class(folder: Path, classes: list[str]) -> list[tuple[Path, int]]:
    """Return every image below the class folders of ``folder`` with its class number, in sorted order.

    A test folder may lack a class, but may not bring a new one; a class folder without an image is an error.
    """
    unknown = sorted(set(class_names(folder)) - set(classes))
    if unknown:
        raise DataError(
            f"{folder} holds the class folder {unknown[0]!r}, which the training folder does not. "
            "Remove it, or add the class to the training images."
        )
    present = [(folder / name, number) for number, name in enumerate(classes) if (folder / name).is_dir()]
    return [(path, number) for place, number in present for path in _images_in_class(place)]


def _images_in_class(folder: Path) -> list[Path]:
    found = sorted(_images_below(folder))
    if not found:
        raise DataError(
            f"the class folder {folder} holds no image ({', '.join(EXTENSIONS)}). Fill it or remove it."
        )
    return found


def _images_below(folder: Path) -> Iterator[Path]:
    for place, _, files in os.walk(folder, followlinks=True):
        for file in files:
            if file.lower().endswith(EXTENSIONS):
                yield Path(place, file)


def _given_or_below(given: Path | None, root: Path | None, names: Iterable[str]) -> list[Path]:
    if given is not None:
        return [Path(given).expanduser()]
    if root is None:
        return []
    return [Path(root).expanduser() / name for name in names]


def _first_folder(role: str, places: list[Path]) -> Path:
    for place in places:
        if place.is_dir():
            return place
    tried = " or ".join(map(str, places)) or "nowhere, for neither Data.root nor its own folder is set"
    raise DataError(
        f"the {role} images were not found (looked in {tried}). Let Data.root name a folder with train/ and "
        "test/ (or val/), or set Data.train-dir and Data.test-dir."
    )
