"""From a config to the two splits, on the device and checked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.config.names import FOLDER_DATASETS
from layerscope.data.arrays import load_arrays
from layerscope.data.catalog import DatasetInfo, describe_stored, in_channels
from layerscope.data.digits import load_digits
from layerscope.data.folder_split import folder_split
from layerscope.data.folders import load_folders
from layerscope.data.gaussian_classes import load_gaussian_classes
from layerscope.data.idx import load_idx
from layerscope.data.imbalance import imbalanced
from layerscope.data.samples import Loaded, Samples, check_samples
from layerscope.data.selection import Labels, partly_random, stratified, validation_places
from layerscope.data.split import Split, in_memory_split
from layerscope.data.split_files import load_split_files
from layerscope.data.torchvision_sets import load_torchvision
from layerscope.distributed.exchange import in_turn

logger = logging.getLogger(__name__)

LOADERS: dict[str, Callable[[DataConfig, DatasetInfo], Loaded]] = {
    "digits": load_digits,
    "mnist": load_idx,
    "mnist_debug": load_idx,
    "fashionmnist": load_idx,
    "kmnist": load_idx,
    "cifar10": load_torchvision,
    "cifar100": load_torchvision,
    "svhn": load_torchvision,
    "stl10": load_torchvision,
    "tinyimagenet": load_folders,
    "imagenet": load_folders,
    "imagenet_lt": load_split_files,
    "imagefolder": load_folders,
    "arrays": load_arrays,
    "gaussian_classes": load_gaussian_classes,
}


@dataclass(frozen=True)
class Data:
    """A data set, ready to train on and to measure.

    Attributes
    ----------
    validation
        What is held out of the training samples, with the labels that the set gives them; None without.
    validation_places
        Which samples those are: their indices in the whole training split, ascending.
    """

    info: DatasetInfo
    train: Split
    test: Split
    validation: Split | None = None
    validation_places: Labels | None = None


def load_data(config: DataConfig, run: RunConfig, device: torch.device | str) -> Data:
    """Read the set of ``config``; the same config and run give the same samples and labels every time.

    Raises
    ------
    DataError
        Missing, damaged or inconsistent data; the message names the file and the remedy.
    """
    described = describe_stored(config)
    with in_turn() if config.download else nullcontext():  # or several processes would fetch the same files
        loaded = LOADERS[described.name](config, described)
    for samples in (loaded.train, loaded.test):
        check_samples(samples, loaded.info.classes)
    rest, held, places = _divided(loaded.train, config, run)
    train = _selected(rest, loaded.info.classes, config, run)
    info = replace(
        in_channels(loaded.info, config.channels),
        train_samples=len(train),
        test_samples=len(loaded.test),
        validation_samples=len(held),
    )
    if config.imbalance is not None:
        _say_when_uneven(loaded.test, info)
    place = torch.device(device)
    return Data(
        info,
        train=_split("train", train, info, config, place),
        test=_split("test", loaded.test, info, config, place),
        validation=_split("validation", held, info, config, place) if len(held) else None,
        validation_places=places if len(held) else None,
    )


def _say_when_uneven(test: Samples, info: DatasetInfo) -> None:
    """The test split stays as it is; who compares classes must know when they are not equal there."""
    counts = np.bincount(test.labels, minlength=info.classes)
    if counts.min() != counts.max():
        logger.warning(
            "the test split of %s is not balanced (%d to %d samples of a class): its overall accuracy "
            "favours the larger ones; the accuracies of groups of classes are means over classes",
            *(info.name, counts.min(), counts.max()),
        )


def _divided(train: Samples, config: DataConfig, run: RunConfig) -> tuple[Samples, Samples, Labels]:
    """The samples to train on, those that are held out, and where the latter were.

    This comes before everything else that is done to the training samples, so that runs that differ in that
    are compared on the same validation samples, which are as the test samples are.
    """
    if not config.validation:
        nothing = np.empty(0, dtype=np.int64)
        return train, train.take(nothing), nothing
    places = validation_places(train.labels, config.validation, run.seed_for("validation"))
    rest = np.setdiff1d(np.arange(len(train)), places, assume_unique=True)
    return train.take(rest), train.take(places), places


def _selected(train: Samples, classes: int, config: DataConfig, run: RunConfig) -> Samples:
    """Subset, then imbalance within it, then random labels, which blur the class sizes."""
    if config.subset is not None:
        train = train.take(stratified(train.labels, config.subset, run.seed_for("subset")))
    if config.imbalance is not None:
        train = train.take(imbalanced(train.labels, config.imbalance, classes, run.seed_for("imbalance")))
    if config.random_labels:
        labels = partly_random(train.labels, config.random_labels, classes, run.seed_for("labels"))
        train = replace(train, labels=labels)
    return train


def _split(name: str, samples: Samples, info: DatasetInfo, config: DataConfig, device: torch.device) -> Split:
    if info.name in FOLDER_DATASETS:
        return folder_split(name, samples, info, device, config.num_workers)
    return in_memory_split(name, samples, info, device)
