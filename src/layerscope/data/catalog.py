"""What is known of every data set before it is read. No torch here: preview runs on a login node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from layerscope.config import DataConfig
from layerscope.config.sections.gaussian import GaussianConfig
from layerscope.data.file_list import describe_lists
from layerscope.data.imbalance import class_sizes
from layerscope.data.listing import describe_folders
from layerscope.data.npz import describe_npz, largest_in_npz
from layerscope.errors import DataError

Augmentation = Literal["none", "crop", "crop_flip", "resized_crop_flip"]

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DatasetInfo:
    """One data set: its size, how its pixels are normalised, and how to get it.

    Attributes
    ----------
    height, width
        Before padding; ``shape`` is what a model sees.
    mean, std
        One per channel, of the training images; in units of 255 for bytes, of the stored values for floats.
    pad
        Black pixels added on every side.
    augmentation
        What ``do-augmentation`` does: ``crop`` is a random crop after padding by 4, ``flip`` is left-right,
        ``resized_crop`` is ImageNet's. Digits and letters are never flipped: that makes another symbol.
    source
        How to get it, as the end of an error message.
    validation_samples
        How many of the training samples are held out; ``train_samples`` does not count them.
    """

    name: str
    channels: int
    height: int
    width: int
    classes: int
    train_samples: int
    test_samples: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    pad: int
    augmentation: Augmentation
    source: str
    validation_samples: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the images a model sees."""
        return self.channels, self.height + 2 * self.pad, self.width + 2 * self.pad


_DOWNLOAD = "Set Data.download: True, or let Data.root name the folder that holds it."

DATASETS: dict[str, DatasetInfo] = {
    "digits": DatasetInfo(
        "digits", 1, 8, 8, 10, 1437, 360,
        (0.287261,), (0.354185,), 0, "none", "It comes with scikit-learn.",
    ),
    "mnist": DatasetInfo(
        "mnist", 1, 28, 28, 10, 60_000, 10_000,
        (0.1307,), (0.3081,), 2, "crop", _DOWNLOAD,
    ),
    "mnist_debug": DatasetInfo(
        "mnist_debug", 1, 28, 28, 10, 1024, 1024,
        (0.1307,), (0.3081,), 2, "crop", _DOWNLOAD,
    ),
    "fashionmnist": DatasetInfo(
        "fashionmnist", 1, 28, 28, 10, 60_000, 10_000,
        (0.2860,), (0.3530,), 2, "crop_flip",
        f"Install the Debian package dataset-fashion-mnist. Or: {_DOWNLOAD}",
    ),
    "kmnist": DatasetInfo(
        "kmnist", 1, 28, 28, 10, 60_000, 10_000,
        (0.1918,), (0.3483,), 2, "crop", _DOWNLOAD,
    ),
    "cifar10": DatasetInfo(
        "cifar10", 3, 32, 32, 10, 50_000, 10_000,
        (125.3 / 255, 123.0 / 255, 113.9 / 255), (63.0 / 255, 62.1 / 255, 66.7 / 255),
        0, "crop_flip", _DOWNLOAD,
    ),
    "cifar100": DatasetInfo(
        "cifar100", 3, 32, 32, 100, 50_000, 10_000,
        (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762), 0, "crop_flip", _DOWNLOAD,
    ),
    "svhn": DatasetInfo(
        "svhn", 3, 32, 32, 10, 73_257, 26_032,
        (0.4377, 0.4438, 0.4728), (0.1980, 0.2010, 0.1970), 0, "crop", _DOWNLOAD,
    ),
    "stl10": DatasetInfo(
        "stl10", 3, 96, 96, 10, 5000, 8000,
        (0.4467, 0.4398, 0.4066), (0.2603, 0.2566, 0.2713), 0, "crop_flip", _DOWNLOAD,
    ),
    "tinyimagenet": DatasetInfo(
        "tinyimagenet", 3, 64, 64, 200, 100_000, 10_000,
        (0.4802, 0.4481, 0.3975), (0.2770, 0.2691, 0.2821), 0, "crop_flip",
        "Unpack tiny-imagenet-200 and let Data.root name its folder.",
    ),
    "imagenet": DatasetInfo(
        "imagenet", 3, 224, 224, 1000, 1_281_167, 50_000,
        _IMAGENET_MEAN, _IMAGENET_STD, 0, "resized_crop_flip",
        "Let Data.root name the folder with train/ and val/, each with one folder per class.",
    ),
    "imagenet_lt": DatasetInfo(  # the sizes are read from the lists
        "imagenet_lt", 3, 224, 224, 1000, 115_846, 50_000,
        _IMAGENET_MEAN, _IMAGENET_STD, 0, "resized_crop_flip",
        "Let Data.root name the folder of ImageNet's images, and put ImageNet_LT_train.txt and "
        "ImageNet_LT_test.txt there or let Data.train-list and Data.test-list name them.",
    ),
    "imagefolder": DatasetInfo(  # sizes and classes are read from the folders
        "imagefolder", 3, 224, 224, 0, 0, 0,
        _IMAGENET_MEAN, _IMAGENET_STD, 0, "resized_crop_flip",
        "Let Data.root name a folder with train/ and test/ (or val/), or set train-dir and test-dir.",
    ),
    "arrays": DatasetInfo(  # all of it is read from the file; the moments when it is loaded
        "arrays", 0, 0, 0, 0, 0, 0,
        (), (), 0, "crop", "Let Data.root name an .npz file.",
    ),
    "gaussian_classes": DatasetInfo(  # sizes are those of Data.gaussian; the moments when it is drawn
        "gaussian_classes", 0, 0, 0, 0, 0, 0,
        (), (), 0, "none", "It is drawn at random.",
    ),
}  # fmt: skip


#: Training samples of the smallest class, where the published set fixes them.
SMALLEST_CLASS = {
    "digits": 133, "mnist": 5421, "fashionmnist": 6000, "kmnist": 6000, "cifar10": 5000, "cifar100": 500,
    "svhn": 4659, "stl10": 500, "tinyimagenet": 500, "imagenet": 732,
}  # fmt: skip


LARGEST_LONG_TAILED = 1280
"""Training samples of the largest class of ImageNet-LT."""


def largest_class(config: DataConfig, info: DatasetInfo) -> int | None:
    """How many samples of one class there are in one split, at most; None where only the data tells.

    In the published sets no class has more than twice an even share of its split.
    """
    if info.name == "imagenet_lt":
        return LARGEST_LONG_TAILED
    most = max(info.train_samples, info.test_samples, info.validation_samples)
    if info.name in (*SMALLEST_CLASS, "gaussian_classes"):
        return max(min(2 * -(-most // info.classes), most), _most_frequent(config, info))
    if info.name == "arrays":
        return largest_in_npz(config.root)
    return None


def _most_frequent(config: DataConfig, info: DatasetInfo) -> int:
    """Training samples of the first class of an imbalanced set of known sizes; else 0."""
    settings, smallest = config.imbalance, SMALLEST_CLASS.get(info.name)
    if settings is None or settings.factor is None or smallest is None:
        return 0
    return class_sizes(settings, [smallest] * info.classes)[0]


def describe(config: DataConfig) -> DatasetInfo:
    """Say what ``config`` will load, reading at most headers, lists of files, and the names in folders.

    For ``arrays`` the moments are 0 and 1 until the file is loaded.

    Raises
    ------
    DataError
        A setting that the set cannot honour, or a missing or unreadable file of the user.
    """
    return in_channels(describe_stored(config), config.channels)


def describe_stored(config: DataConfig) -> DatasetInfo:
    """Say the same of the images as they are stored, before ``Data.channels``."""
    info = _without_held_out(_with_size_in_files(DATASETS[config.dataset_id], config), config.validation)
    _refuse_what_cannot_be_honoured(config, info)
    return replace(
        info,
        height=config.image_size or info.height,
        width=config.image_size or info.width,
        pad=info.pad if config.pad is None else config.pad,
        train_samples=_train_samples(config, info),
    )


def in_channels(info: DatasetInfo, channels: int | None) -> DatasetInfo:
    """The set whose one channel is repeated; as it is when it has that many, or nothing is asked for."""
    if channels in (None, info.channels):
        return info
    assert channels is not None
    return replace(info, channels=channels, mean=info.mean * channels, std=info.std * channels)


def _train_samples(config: DataConfig, info: DatasetInfo) -> int:
    """How many training samples are kept; of a subset of unequal classes, about how many."""
    count, settings = config.subset or info.train_samples, config.imbalance
    smallest = SMALLEST_CLASS.get(info.name)
    if settings is None or settings.factor is None or smallest is None:
        return count
    whole = info.train_samples + info.validation_samples
    share = max(count * smallest // whole, 1)
    return sum(class_sizes(settings, [share] * info.classes))


def held_out(samples: int, share: float) -> int:
    """How many of the training samples are for validation: round(share * samples).

    Raises
    ------
    DataError
        One of the two splits would be empty.
    """
    count = round(share * samples)
    if share and not 0 < count < samples:
        empty = "training" if count else "validation"
        raise DataError(
            f"Data.validation is {share:g}: of {samples} training samples that leaves none for {empty}. "
            f"{'Lower' if count else 'Raise'} it."
        )
    return count


def _without_held_out(info: DatasetInfo, share: float) -> DatasetInfo:
    count = held_out(info.train_samples, share)
    return replace(info, train_samples=info.train_samples - count, validation_samples=count)


def check_channels(other: DatasetInfo, trained: DatasetInfo) -> None:
    """Refuse images of another kind whose channels cannot become those of the images that are trained on."""
    if other.channels != trained.channels and {other.channels, trained.channels} != {1, 3}:
        raise DataError(
            f"images of {other.name} have {other.channels} channels, and the model takes {trained.channels}; "
            "only grey can become colour, and colour grey. Choose another set for Data.ood."
        )


def check_subset(size: int, available: int) -> None:
    """Refuse a subset larger than its set."""
    if size > available:
        raise DataError(
            f"Data.subset is {size}, but there are only {available} training samples. Lower it or remove it."
        )


def _with_size_in_files(info: DatasetInfo, config: DataConfig) -> DatasetInfo:
    if info.name == "arrays":
        header = describe_npz(config.root)
        ones = (1.0,) * header.channels
        return replace(info, mean=(0.0,) * header.channels, std=ones, **vars(header))
    if info.name == "imagenet_lt" and config.root is not None and config.root.exists():
        return replace(
            info, **vars(describe_lists(config.root, config.train_list, config.test_list, info.classes))
        )
    if info.name == "gaussian_classes":
        return _with_settings(info, config.gaussian or GaussianConfig())
    if info.name == "imagefolder":
        return replace(info, **vars(describe_folders(config.root, config.train_dir, config.test_dir)))
    return info


def _with_settings(info: DatasetInfo, drawn: GaussianConfig) -> DatasetInfo:
    return replace(
        info,
        channels=1,
        mean=(0.0,),
        std=(1.0,),
        height=drawn.height,
        width=drawn.width,
        classes=drawn.classes,
        train_samples=drawn.train,
        test_samples=drawn.test,
    )


def _refuse_what_cannot_be_honoured(config: DataConfig, info: DatasetInfo) -> None:
    if config.subset is not None:
        check_subset(config.subset, info.train_samples)
    if config.channels is not None and info.channels not in (1, config.channels):
        raise DataError(
            f"Data.channels is {config.channels}, but the images of {info.name} have {info.channels}; only "
            "grey images can be repeated in more channels. Remove it."
        )
    if config.do_augmentation and info.augmentation == "none":
        raise DataError(
            f"Data.do-augmentation is True, but no augmentation is defined for {info.name}: its "
            f"{info.height} x {info.width} images have nothing to spare. Set Data.do-augmentation: False."
        )
