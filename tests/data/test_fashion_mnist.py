"""The real Fashion-MNIST, found by itself where Debian's package puts it."""

from pathlib import Path

import pytest
import torch

from layerscope.config import DataConfig, RunConfig
from layerscope.data import DATASETS
from layerscope.data.idx import INSTALLED
from layerscope.data.load import load_data
from layerscope.data.normalise import channel_moments

pytestmark = pytest.mark.skipif(
    not Path(INSTALLED["fashionmnist"][0]).is_dir(),
    reason="needs Debian's package: apt-get install dataset-fashion-mnist",
)


@pytest.fixture(scope="module")
def fashion():
    return load_data(DataConfig(dataset_id="fashionmnist"), RunConfig(), "cpu")


def test_it_is_found_whole_and_balanced(fashion):
    assert fashion.info == DATASETS["fashionmnist"]
    assert fashion.train.labels.bincount().tolist() == [6000] * 10
    assert fashion.test.labels.bincount().tolist() == [1000] * 10
    assert fashion.train.shape == (1, 32, 32)
    assert fashion.train.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]


def test_its_published_moments_are_its_moments(fashion):
    mean, std = channel_moments(fashion.train.images[:, :, 2:-2, 2:-2].numpy())
    assert (mean, std) == (pytest.approx((0.2860,), abs=5e-5), pytest.approx((0.3530,), abs=5e-5))


def test_it_is_described_as_it_is_loaded(fashion):
    images, labels = next(fashion.test.batches(128))
    assert images.shape == (128, *DATASETS["fashionmnist"].shape)
    assert images.dtype == torch.float32
    assert labels.tolist()[:5] == [9, 2, 1, 1, 6]
