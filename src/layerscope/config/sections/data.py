"""Section ``Data``: which images, how many, and how they are batched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from layerscope.config.fields import (
    BelowOne,
    Count,
    Expected,
    Flag,
    Fraction,
    Location,
    Positive,
    Text,
    canonical,
)
from layerscope.config.lookup import canonical_dataset
from layerscope.config.names import FOLDER_DATASETS
from layerscope.config.sections.base import Section
from layerscope.config.sections.gaussian import GaussianConfig
from layerscope.config.sections.imbalance import Factor, ImbalanceConfig


class Images(Section):
    """A data set, and what is taken of it."""

    dataset_id: Annotated[Text, canonical(canonical_dataset)] = Field(description="The name of the data set")
    batch_size: Positive = Field(default=128, description="Images in one step of training")
    do_augmentation: Flag = Field(
        default=False, description="Random crops and flips in training, as usual for the data set"
    )
    root: Location | None = Field(default=None, description="The folder (arrays: the .npz file) of the data")
    download: Flag = Field(default=False, description="Fetch missing data from the internet")
    pad: Count | None = Field(
        default=None, description="Pixels added on every side; not set: as usual for the data set"
    )
    subset: Positive | None = Field(
        default=None, description="Train on this many samples only, evenly over the classes"
    )
    imbalance: Annotated[ImbalanceConfig | None, Expected("keys with values ('factor: 0.01')")] = Field(
        default=None, description="Keep fewer training samples of later classes"
    )
    validation: BelowOne = Field(
        default=0.0,
        description="The share of training samples that is held out to choose by, evenly over the classes",
    )
    gaussian: Annotated[GaussianConfig | None, Expected("keys with values ('separation: 4')")] = Field(
        default=None, description="gaussian_classes: the distribution, and how much is drawn from it"
    )
    view_area: Factor | None = Field(
        default=None,
        description="Optimizer.objective contrastive: the smallest share of an image that a view shows; "
        "not set: 0.2",
    )
    random_labels: Fraction = Field(
        default=0.0, description="The share of training labels that are drawn anew at random"
    )
    channels: Positive | None = Field(
        default=None, description="Repeat grey images in this many channels, for models that need colour"
    )
    num_workers: Count = Field(default=4, description="Processes that read image files; changes no result")
    image_size: Positive | None = Field(
        default=None,
        description="Height and width to which image files are resized (data sets of files only)",
    )
    train_dir: Location | None = Field(
        default=None, description="imagefolder: the folder of training images, one subfolder per class"
    )
    test_dir: Location | None = Field(
        default=None, description="imagefolder: the folder of test images, one subfolder per class"
    )
    train_list: Location | None = Field(
        default=None, description="imagenet_lt: the file that lists the training images and their classes"
    )
    test_list: Location | None = Field(
        default=None, description="imagenet_lt: the file that lists the test images and their classes"
    )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Places that are missing or superfluous, and sizes that would be ignored."""
        if self.dataset_id == "imagefolder":
            yield from self._imagefolder_conflicts()
        else:
            yield from self._folder_only_conflicts()
        yield from self._superfluous(
            "imagenet_lt", ("train-list", self.train_list), ("test-list", self.test_list)
        )
        if self.gaussian is not None and self.dataset_id != "gaussian_classes":
            yield "gaussian", f"means nothing for {self.dataset_id}; it is for gaussian_classes"
        if self.dataset_id == "arrays" and self.root is None:
            yield "root", "is not set, but dataset-id: arrays needs it: the .npz file"
        if self.dataset_id == "imagenet_lt" and self.root is None:
            yield "root", "is not set, but dataset-id: imagenet_lt needs it: the folder of ImageNet's images"
        if self.image_size is not None and self.dataset_id not in FOLDER_DATASETS:
            yield "image-size", f"means nothing for {self.dataset_id}; it is for {', '.join(FOLDER_DATASETS)}"

    def _imagefolder_conflicts(self) -> Iterator[tuple[str, str]]:
        folders = [folder for folder in (self.train_dir, self.test_dir) if folder is not None]
        if self.root is None and len(folders) < 2:
            needs = "either root (with train/ and test/ or val/ in it) or both train-dir and test-dir"
            missing = "dataset-id" if not folders else ("test-dir" if self.train_dir else "train-dir")
            yield missing, f"is not enough: imagefolder needs {needs}"
        elif self.root is not None and folders:
            yield "root", "is set together with train-dir or test-dir; give one or the other"

    def _folder_only_conflicts(self) -> Iterator[tuple[str, str]]:
        yield from self._superfluous(
            "imagefolder", ("train-dir", self.train_dir), ("test-dir", self.test_dir)
        )

    def _superfluous(self, owner: str, *places: tuple[str, Path | None]) -> Iterator[tuple[str, str]]:
        for key, place in places:
            if place is not None and self.dataset_id != owner:
                yield key, f"means nothing for {self.dataset_id}; it is for {owner}"


class DataConfig(Images):
    """Which images, how many, and how they are batched."""

    ood: Annotated[Images | None, Expected("keys with values, as in Data")] = Field(
        default=None, description="Images of another kind, for NC5: a data set, by the same keys as in Data"
    )

    @property
    def other_images(self) -> DataConfig | None:
        """The out-of-distribution set as a config of its own."""
        return None if self.ood is None else DataConfig(**dict(self.ood))
