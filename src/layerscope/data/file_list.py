"""Lists of image files with their classes, as ImageNet-LT is published. No torch here: preview reads them.

A line is the path of an image below the folder of the images, a blank, and the number of its class.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from layerscope.data.listing import FolderSizes
from layerscope.errors import DataError

NAMES = {"train": "ImageNet_LT_train.txt", "test": "ImageNet_LT_test.txt"}
"""Split → the name under which its list is published (Liu et al. 2019, arXiv:1904.05160)."""

SHOWN = 5


@dataclass(frozen=True)
class FileList:
    """The images of one split, as a list names them."""

    path: Path
    images: tuple[tuple[Path, int], ...]


def describe_lists(root: Path, train: Path | None, test: Path | None, classes: int) -> FolderSizes:
    """Count the images of both lists; every path of theirs is looked for."""
    sizes = [len(read_list(root, "train", train).images), len(read_list(root, "test", test).images)]
    return FolderSizes(classes, *sizes)


def read_list(root: Path, split: str, path: Path | None) -> FileList:
    """Read the list of a split and look for its images below ``root``.

    Raises
    ------
    DataError
        No list, a line that is not a path and a class, or images that are not there: how many, and the first.
    """
    place = (path or root / NAMES[split]).expanduser()
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"the list of {split} images {place} cannot be read ({error}). Get it with the published "
            f"ImageNet-LT, or let Data.{split}-list name it."
        ) from error
    entries = [_entry(place, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    found = FileList(place, tuple((root.expanduser() / image, label) for image, label in entries))
    _refuse_absent(found)
    return found


def _entry(place: Path, number: int, line: str) -> tuple[str, int]:
    image, _, label = line.strip().rpartition(" ")
    if not image or not label.isdecimal():
        raise DataError(
            f"{place}:{number}: {line.strip()!r} is not the path of an image and the number of its class."
        )
    return image.strip(), int(label)


def _refuse_absent(found: FileList) -> None:
    absent = list(_absent(image for image, _ in found.images))
    if absent:
        first = "\n".join(f"  {path}" for path in absent[:SHOWN])
        more = f"\n  … and {len(absent) - SHOWN} more" if len(absent) > SHOWN else ""
        raise DataError(
            f"{len(absent)} of the {len(found.images)} images that {found.path} lists do not exist:\n"
            f"{first}{more}\nLet Data.root name the folder that the paths of the list start from."
        )


def _absent(images: Iterable[Path]) -> Iterator[Path]:
    """Look once into every folder instead of once for every image."""
    present: dict[Path, frozenset[str]] = {}
    for image in images:
        if image.parent not in present:
            present[image.parent] = _names(image.parent)
        if image.name not in present[image.parent]:
            yield image


def _names(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            return frozenset(entry.name for entry in entries)
    except OSError:
        return frozenset()
