"""With files of a few images in the published formats, and their MD5 in place of the published ones."""

import hashlib
import pickle

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torchvision import datasets

from layerscope.config import DataConfig, RunConfig
from layerscope.data.load import load_data
from layerscope.errors import DataError

PIXELS = np.random.default_rng(0).integers(256, size=(20, 3, 32, 32), dtype=np.uint8)
LABELS = np.arange(20) % 10


def load(name, root, **fields):
    return load_data(DataConfig(dataset_id=name, root=root, **fields), RunConfig(), "cpu")


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


@pytest.fixture
def cifar10(tmp_path, monkeypatch):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    batch = {"data": PIXELS.reshape(20, -1), "labels": LABELS.tolist()}
    for name, content in (
        ("data_batch_1", batch),
        ("test_batch", batch),
        ("batches.meta", {"label_names": []}),
    ):
        (folder / name).write_bytes(pickle.dumps(content))
    published = datasets.CIFAR10
    monkeypatch.setattr(published, "train_list", [["data_batch_1", md5(folder / "data_batch_1")]])
    monkeypatch.setattr(published, "test_list", [["test_batch", md5(folder / "test_batch")]])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": md5(folder / "batches.meta")}
    monkeypatch.setattr(published, "meta", meta)
    return tmp_path


@pytest.fixture
def svhn(tmp_path, monkeypatch):
    files = {}
    for split in ("train", "test"):
        path = tmp_path / f"{split}_32x32.mat"
        # the published files count the digit 0 as class 10, and store H W C N
        savemat(path, {"X": PIXELS.transpose(2, 3, 1, 0), "y": np.where(LABELS == 0, 10, LABELS)[:, None]})
        files[split] = ["", path.name, md5(path)]
    monkeypatch.setattr(datasets.SVHN, "split_list", files)
    return tmp_path


@pytest.fixture
def stl10(tmp_path, monkeypatch):
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(256, size=(20, 3, 96, 96), dtype=np.uint8)
    for split in ("train", "test"):
        pixels.transpose(0, 1, 3, 2).tofile(folder / f"{split}_X.bin")  # published column by column
        (LABELS + 1).astype(np.uint8).tofile(folder / f"{split}_y.bin")  # published from 1
        names = [f"{split}_X.bin", f"{split}_y.bin"]
        monkeypatch.setattr(datasets.STL10, f"{split}_list", [[name, md5(folder / name)] for name in names])
    return tmp_path, pixels


def test_cifar10_images_are_channels_first(cifar10):
    data = load("cifar10", cifar10)
    assert torch.equal(data.train.images, torch.from_numpy(PIXELS))
    assert data.test.labels.tolist() == LABELS.tolist()
    assert (data.info.train_samples, data.train.shape) == (20, (3, 32, 32))


def test_the_folder_of_the_set_below_the_root_is_searched(cifar10):
    (cifar10 / "CIFAR10").mkdir()
    (cifar10 / "cifar-10-batches-py").rename(cifar10 / "CIFAR10" / "cifar-10-batches-py")
    assert len(load("cifar10", cifar10).train) == 20


def test_svhn_counts_the_digit_0_as_class_0(svhn):
    data = load("svhn", svhn)
    assert torch.equal(data.train.images, torch.from_numpy(PIXELS))
    assert data.train.labels.tolist() == LABELS.tolist()


def test_stl10_images_stand_upright_and_classes_count_from_0(stl10):
    root, pixels = stl10
    data = load("stl10", root)
    assert torch.equal(data.test.images, torch.from_numpy(pixels))
    assert data.test.labels.tolist() == LABELS.tolist()


def test_a_damaged_file_is_named(cifar10):
    path = cifar10 / "cifar-10-batches-py" / "test_batch"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(DataError) as caught:
        load("cifar10", cifar10)
    assert str(caught.value).startswith(f"{path}: not the published content (MD5 differs). Delete it and get")


def test_a_missing_file_is_named(svhn):
    (svhn / "test_32x32.mat").unlink()
    with pytest.raises(
        DataError, match=r"svhn was not found(.|\n)*\(without test_32x32\.mat\)(.|\n)*download: True"
    ):
        load("svhn", svhn)


def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.CIFAR100, "download", lambda self: pytest.fail("downloaded"))
    with pytest.raises(DataError, match="cifar100 was not found"):
        load("cifar100", tmp_path)


def test_a_failed_download_says_so(tmp_path, monkeypatch):
    def fetch(self):
        raise ConnectionResetError("the peer hung up")

    monkeypatch.setattr(datasets.CIFAR100, "download", fetch)
    with pytest.raises(DataError, match="cifar100 could not be downloaded: the peer hung up"):
        load("cifar100", tmp_path, download=True)


def test_a_download_is_read_from_where_it_was_put(cifar10, tmp_path, monkeypatch):
    hidden = cifar10 / "hidden"
    (cifar10 / "cifar-10-batches-py").rename(hidden)

    def fetch(self):
        if hidden.exists():
            hidden.rename(cifar10 / "cifar-10-batches-py")

    monkeypatch.setattr(datasets.CIFAR10, "download", fetch)
    assert len(load("cifar10", cifar10, download=True).train) == 20
