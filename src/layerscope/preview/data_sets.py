"""What is known of the runs' data without reading it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from layerscope.config import DataConfig
from layerscope.config.names import FOLDER_DATASETS, OWN_DATASETS
from layerscope.data.catalog import DatasetInfo, check_channels, describe
from layerscope.data.places import ENVIRONMENT, bases
from layerscope.data.presence import is_absent
from layerscope.errors import DataError

_FLOATS = 4


@dataclass(frozen=True)
class DataView:
    """A data set as far as it can be known here.

    Parameters
    ----------
    name : str
    info : DatasetInfo, optional
        None when only the data itself tells, and it is not here, or when it cannot be used as asked for.
    problem, warning : str
    image_bytes : int
        What the images take in the memory of the device, at most; 0 when they are read as they are needed.
    """

    name: str
    info: DatasetInfo | None
    problem: str = ""
    warning: str = ""
    image_bytes: int = 0


def view(config: DataConfig) -> DataView:
    """Describe the data of one section, and what is wrong with it."""
    missing = _missing(config)
    warning = f"there is no {missing} on this machine; the jobs need it where they run" if missing else ""
    if missing and config.dataset_id in OWN_DATASETS:
        warning += " (only the data tells its classes: the layers of the model are not shown)"
        return DataView(config.dataset_id, None, warning=warning)
    try:
        info = describe(config)
    except DataError as error:
        return DataView(config.dataset_id, None, str(error), warning)
    warning = warning or _nowhere(config, info)
    problem = _too_large_a_batch(config, info) or _ood_problem(config, info)
    return DataView(info.name, info, problem, warning, _image_bytes(info))


def _ood_problem(config: DataConfig, info: DatasetInfo) -> str:
    """What is wrong with the images of another kind, as far as it can be known here."""
    other = config.other_images
    if other is None or _missing(other):
        return ""
    try:
        check_channels(describe(other), info)
    except DataError as error:
        return f"Data.ood: {error}"
    return ""


def _missing(config: DataConfig) -> Path | None:
    places = [place for place in (config.root, config.train_dir, config.test_dir) if place is not None]
    return next((place for place in places if not place.exists()), None)


def _nowhere(config: DataConfig, info: DatasetInfo) -> str:
    if config.download or not is_absent(info.name, config.root):
        return ""
    tried = " or ".join(map(str, bases(config.root)))
    return (
        f"there is no {info.name} in {tried} on this machine; jobs need it where they run. Data.root or "
        f"${ENVIRONMENT} names its folder, Data.download: True gets it"
    )


def _image_bytes(info: DatasetInfo) -> int:
    if info.name in FOLDER_DATASETS:
        return 0
    samples = info.train_samples + info.validation_samples + info.test_samples
    images = samples * math.prod(info.shape)
    return images * _FLOATS if info.name in ("arrays", "gaussian_classes") else images


def _too_large_a_batch(config: DataConfig, info: DatasetInfo) -> str:
    if config.batch_size <= info.train_samples:
        return ""
    limit = "Data.subset leaves" if config.subset else f"{info.name} has"
    return (
        f"Data.batch-size is {config.batch_size:,}, but {limit} only {info.train_samples:,} training images; "
        "lower it"
    )
