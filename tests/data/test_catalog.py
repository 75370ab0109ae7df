import subprocess
import sys

import pytest

from layerscope.config import DataConfig
from layerscope.config.names import DATASETS as NAMES
from layerscope.data import DATASETS, describe
from layerscope.data.load import LOADERS
from layerscope.errors import DataError


def test_every_name_of_the_config_has_an_entry_and_a_loader():
    assert tuple(DATASETS) == tuple(LOADERS) == NAMES


@pytest.mark.parametrize("name", DATASETS)
def test_entries_are_consistent(name):
    info = DATASETS[name]
    assert info.name == name
    assert len(info.mean) == len(info.std) == info.channels
    assert all(0 < value < 1 for value in (*info.mean, *info.std))
    assert info.source.endswith(".")


@pytest.mark.parametrize(
    ("name", "shape"),
    [("digits", (1, 8, 8)), ("mnist", (1, 32, 32)), ("cifar10", (3, 32, 32)), ("stl10", (3, 96, 96))],
)
def test_the_shape_is_the_one_a_model_sees(name, shape):
    assert describe(DataConfig(dataset_id=name)).shape == shape


def test_pad_and_subset_are_resolved():
    info = describe(DataConfig(dataset_id="fashionmnist", pad=0, subset=500))
    assert (info.shape, info.train_samples, info.test_samples) == ((1, 28, 28), 500, 10_000)


def test_the_image_size_of_folder_sets_is_resolved():
    assert describe(DataConfig(dataset_id="imagenet", image_size=96, pad=1)).shape == (3, 98, 98)


def test_a_subset_larger_than_the_set_is_refused():
    with pytest.raises(DataError, match=r"Data.subset is 2000, but there are only 1437 .* Lower it"):
        describe(DataConfig(dataset_id="digits", subset=2000))


def test_augmentation_of_digits_is_refused():
    with pytest.raises(DataError, match=r"no augmentation is defined for digits.*do-augmentation: False"):
        describe(DataConfig(dataset_id="digits", do_augmentation=True))


def test_symbols_are_never_mirrored():
    symbols = ("mnist", "mnist_debug", "kmnist", "svhn", "arrays")
    assert {DATASETS[name].augmentation for name in symbols} == {"crop"}


def test_arrays_are_described_without_reading_their_images(write_npz):
    info = describe(DataConfig(dataset_id="arrays", root=write_npz()))
    assert (info.shape, info.classes, info.train_samples, info.test_samples) == ((1, 5, 4), 3, 12, 6)


def test_image_folders_are_described_by_their_names(tmp_path, write_images):
    write_images(tmp_path / "train", ["a", "b", "c"], 4)
    write_images(tmp_path / "val", ["a", "c"], 2)
    info = describe(DataConfig(dataset_id="imagefolder", root=tmp_path, image_size=16))
    assert (info.shape, info.classes, info.train_samples, info.test_samples) == ((3, 16, 16), 3, 12, 4)


def test_the_catalogue_needs_no_torch():
    code = "import sys, layerscope.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
