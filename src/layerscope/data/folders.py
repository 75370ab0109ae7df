"""Image sets that are a folder per class: ImageNet, Tiny ImageNet, and the user's own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from layerscope.config import DataConfig
from layerscope.data.catalog import DatasetInfo
from layerscope.data.listing import class_names, images_by_class, split_folders
from layerscope.data.places import candidates, find
from layerscope.data.samples import Loaded, Samples
from layerscope.errors import DataError

_SUBFOLDERS = {
    "imagenet": ("imagenet", "ImageNet", "ILSVRC2012"),
    "tinyimagenet": ("tiny-imagenet-200", "tinyimagenet"),
}

#: Tiny ImageNet as published keeps its validation images in one folder, with their classes in this file.
_ANNOTATIONS = "val_annotations.txt"


def load_folders(config: DataConfig, info: DatasetInfo) -> Loaded:
    """List the images of both splits; they are read while training."""
    train, test = _split_folders(config, info)
    classes = class_names(train)
    if len(classes) != info.classes:
        raise DataError(
            f"{train} holds {len(classes)} class folders, {info.name} has {info.classes}. Use dataset-id: "
            "imagefolder for a selection of classes."
        )
    splits = (
        file_samples(train, images_by_class(train, classes)),
        file_samples(test, _test_images(test, classes)),
    )
    return Loaded(replace(info, train_samples=len(splits[0]), test_samples=len(splits[1])), *splits)


def _split_folders(config: DataConfig, info: DatasetInfo) -> tuple[Path, Path]:
    if info.name == "imagefolder":
        return split_folders(config.root, config.train_dir, config.test_dir)
    places = folder_places(info.name, config.root)
    root = find(info.name, places, missing_folders, info.source)
    return root / "train", root / "val"


def folder_places(name: str, root: Path | None) -> list[Path]:
    """Every folder in which the published set ``name`` is looked for."""
    return candidates(root, _SUBFOLDERS[name])


def missing_folders(place: Path) -> list[str]:
    """The folders of splits that ``place`` lacks."""
    return [f"{name}/" for name in ("train", "val") if not (place / name).is_dir()]


def file_samples(origin: Path, images: Sequence[tuple[Path, int]]) -> Samples:
    """Paths with the numbers of their classes, as samples."""
    # One block of bytes instead of a million objects: forked workers share it without copying.
    paths = np.array([os.fsencode(path.absolute()) for path, _ in images], dtype=np.bytes_)
    return Samples(paths, np.array([label for _, label in images], dtype=np.int64), str(origin))


def _test_images(folder: Path, classes: list[str]) -> list[tuple[Path, int]]:
    annotations = folder / _ANNOTATIONS
    if not annotations.is_file():
        return images_by_class(folder, classes)
    number = {name: place for place, name in enumerate(classes)}
    present = {path.name for path in (folder / "images").glob("*")}
    lines = annotations.read_text(encoding="utf-8").splitlines()
    return [_annotated(annotations, line, number, present) for line in lines if line.strip()]


def _annotated(annotations: Path, line: str, number: dict[str, int], present: set[str]) -> tuple[Path, int]:
    file, name, *_ = [*line.split("\t"), ""]
    if name not in number:
        raise DataError(
            f"{annotations} gives {file} the class {name!r}, which has no folder in train/. Mend it."
        )
    if file not in present:
        raise DataError(
            f"{annotations} lists {file}, which is not in {annotations.parent / 'images'}. Unpack again."
        )
    return annotations.parent / "images" / file, number[name]
