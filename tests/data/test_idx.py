import gzip
import logging
from urllib.error import URLError

import numpy as np
import pytest
import torch
from torchvision import datasets

from layerscope.config import DataConfig, RunConfig
from layerscope.data import idx
from layerscope.data.idx import read_idx
from layerscope.data.load import load_data
from layerscope.errors import DataError

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


@pytest.fixture(autouse=True)
def no_installed_package(monkeypatch):
    monkeypatch.setattr(idx, "INSTALLED", {})


def load(root=None, name="mnist", **fields):
    return load_data(DataConfig(dataset_id=name, root=root, **fields), RunConfig(), "cpu")


def rewrite(path, change):
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


@pytest.mark.parametrize("zipped", [True, False])
def test_images_come_as_written_with_a_black_border_of_two(tmp_path, write_idx, zipped):
    folder = write_idx(tmp_path, zipped=zipped)
    data = load(tmp_path)
    path = next(folder.glob("train-images*"))
    raw = gzip.decompress(path.read_bytes()) if zipped else path.read_bytes()
    pixels = torch.frombuffer(bytearray(raw[16:]), dtype=torch.uint8).view(30, 1, 28, 28)
    assert torch.equal(data.train.images[:, :, 2:-2, 2:-2], pixels)
    assert data.train.images.sum() == pixels.sum()
    assert data.train.shape == data.info.shape == (1, 32, 32)
    assert data.test.labels.tolist() == [*range(10)] * 2


@pytest.mark.parametrize("place", ["", "FashionMNIST/raw", "FashionMNIST", "fashionmnist", "fashion-mnist"])
def test_the_usual_places_below_the_root_are_searched(tmp_path, write_idx, place):
    write_idx(tmp_path / place)
    assert len(load(tmp_path, "fashionmnist").train) == 30


def test_the_root_goes_before_the_environment_before_the_working_directory(tmp_path, write_idx, monkeypatch):
    write_idx(tmp_path / "here" / "data" / "mnist", train=10)
    monkeypatch.chdir(tmp_path / "here")
    assert len(load().train) == 10
    write_idx(tmp_path / "shared" / "mnist", train=20)
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path / "shared"))
    assert len(load().train) == 20
    assert len(load(write_idx(tmp_path / "root", train=30)).train) == 30


def test_a_missing_folder_names_every_place_tried_and_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERSCOPE_DATA", str(tmp_path / "shared"))
    with pytest.raises(DataError) as caught:
        load(tmp_path / "nowhere", "kmnist")
    message = str(caught.value)
    assert message.startswith("kmnist was not found. Looked in:")
    for place in (tmp_path / "nowhere" / "KMNIST" / "raw", tmp_path / "shared" / "kmnist"):
        assert f"{place} (no such folder)" in message
    assert message.endswith("Set Data.download: True, or let Data.root name the folder that holds it.")


def test_the_debian_package_is_proposed(tmp_path):
    with pytest.raises(DataError, match="Install the Debian package dataset-fashion-mnist"):
        load(tmp_path, "fashionmnist")


def test_a_missing_file_is_named(tmp_path, write_idx):
    (write_idx(tmp_path) / LABELS).unlink()
    with pytest.raises(DataError, match=r"\(without train-labels-idx1-ubyte\)"):
        load(tmp_path)


def test_a_truncated_gz_is_named(tmp_path, write_idx):
    path = write_idx(tmp_path) / IMAGES
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"{IMAGES} cannot be read: .*Delete it and get the data again"):
        load(tmp_path)


def test_a_corrupt_gz_is_named(tmp_path, write_idx):
    path = write_idx(tmp_path) / IMAGES
    content = bytearray(path.read_bytes())
    content[500:600] = bytes(100)
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{IMAGES} cannot be read"):
        load(tmp_path)


def test_a_gz_that_is_none_is_named(tmp_path, write_idx):
    (write_idx(tmp_path) / LABELS).write_bytes(b"<html>404</html>")
    with pytest.raises(DataError, match=rf"{LABELS} cannot be read: Not a gzipped file"):
        load(tmp_path)


def test_a_wrong_magic_number_is_named(tmp_path, write_idx):
    folder = write_idx(tmp_path)
    (folder / IMAGES).write_bytes((folder / LABELS).read_bytes())
    with pytest.raises(DataError, match=rf"{IMAGES} is no IDX file .* 3 axes: .* 0x00000801, not 0x00000803"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "held"),
    [(lambda raw: raw[:-1], 23519), (lambda raw: raw + b"x", 23521), (lambda raw: raw[:9], 0)],
)
def test_a_file_of_another_length_than_announced_is_torn(tmp_path, write_idx, change, held):
    rewrite(write_idx(tmp_path) / IMAGES, change)
    with pytest.raises(DataError, match=rf"{IMAGES} is torn: .* announces \d+ bytes .* holds {held}\."):
        load(tmp_path)


def test_an_absurd_header_is_torn_and_reserves_no_memory(tmp_path):
    path = tmp_path / "absurd"
    path.write_bytes(bytes([0, 0, 8, 3]) + b"\x7f\xff\xff\xff" * 3)
    with pytest.raises(DataError, match="is torn"):
        read_idx(path, axes=3)


def test_a_label_outside_the_classes_is_named(tmp_path, write_idx):
    rewrite(write_idx(tmp_path) / LABELS, lambda raw: raw[:-1] + b"\x0c")
    with pytest.raises(
        DataError, match=r"train-images.*: label 12 of sample 29 is outside 0\.\.9 \(1 such\)"
    ):
        load(tmp_path)


def test_labels_that_do_not_match_the_images_are_named(tmp_path, write_idx):
    folder = write_idx(tmp_path)
    (folder / LABELS).write_bytes((folder / "t10k-labels-idx1-ubyte.gz").read_bytes())
    with pytest.raises(DataError, match="holds 30 images but 20 labels"):
        load(tmp_path)


def test_an_empty_set_is_refused(tmp_path, write_idx):
    write_idx(tmp_path, test=0)
    with pytest.raises(DataError, match=r"t10k-images.* is empty. A split needs at least one image"):
        load(tmp_path)


def test_images_of_another_size_are_refused(tmp_path, write_idx):
    write_idx(tmp_path, size=32)
    with pytest.raises(DataError, match="images of 32 x 32, mnist has 28 x 28"):
        load(tmp_path)


def test_other_counts_than_the_published_are_said(tmp_path, write_idx, caplog):
    write_idx(tmp_path)
    with caplog.at_level(logging.WARNING):
        data = load(tmp_path)
    assert "30 training and 20 test images, not the 60000 and 10000 of the published mnist" in caplog.text
    assert (data.info.train_samples, data.info.test_samples) == (30, 20)


def test_mnist_debug_is_the_first_1024_of_each_split(tmp_path, write_idx, caplog):
    write_idx(tmp_path, train=1100, test=1050)
    data, whole = load(tmp_path, "mnist_debug"), load(tmp_path, "mnist")
    assert len(data.train) == len(data.test) == data.info.train_samples == 1024
    assert torch.equal(data.train.images, whole.train.images[:1024])


def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.MNIST, "download", lambda self: pytest.fail("downloaded"))
    with pytest.raises(DataError, match="not found"):
        load(tmp_path)


def test_a_download_is_read_from_where_it_was_put(tmp_path, write_idx, monkeypatch):
    def fetch(self):
        write_idx(tmp_path / "MNIST" / "raw", zipped=False)

    monkeypatch.setattr(datasets.MNIST, "download", fetch)
    data = load(tmp_path, download=True)
    assert len(data.train) == 30


def test_what_is_there_is_not_downloaded_again(tmp_path, write_idx, monkeypatch):
    monkeypatch.setattr(datasets.MNIST, "download", lambda self: pytest.fail("downloaded"))
    write_idx(tmp_path)
    assert len(load(tmp_path, download=True).train) == 30


def test_a_failed_download_says_so(tmp_path, monkeypatch):
    def fetch(self):
        raise URLError("no route to host")

    monkeypatch.setattr(datasets.MNIST, "download", fetch)
    with pytest.raises(DataError, match=r"mnist could not be downloaded: .*no route to host.*another one"):
        load(tmp_path, download=True)


def test_float_batches_are_the_normalised_pixels(tmp_path, write_idx):
    data = load(write_idx(tmp_path), pad=0)
    (images, labels), *_ = data.train.batches(7)
    expected = (data.train.images[:7].numpy() / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(images.numpy(), expected, atol=1e-6)
    assert labels.tolist() == [0, 1, 2, 3, 4, 5, 6]
