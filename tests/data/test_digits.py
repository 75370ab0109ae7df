from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from layerscope.config import DataConfig, RunConfig
from layerscope.data import DATASETS
from layerscope.data import digits as digits_module
from layerscope.data.load import load_data
from layerscope.data.normalise import channel_moments


@pytest.fixture(scope="module")
def digits():
    return load_data(DataConfig(dataset_id="digits"), RunConfig(), "cpu")


def test_every_fifth_digit_is_for_testing(digits):
    values, labels = load_digits(return_X_y=True)
    assert digits.test.labels.tolist() == labels[::5].tolist()
    assert torch.equal(digits.test.images.flatten(1), torch.from_numpy(values[::5] * 15).to(torch.uint8))
    assert len(digits.train) + len(digits.test) == 1797


def test_a_library_that_keeps_its_file_elsewhere_gives_the_same(digits, monkeypatch):
    monkeypatch.setattr(digits_module, "FILE", Path("elsewhere"))
    again = load_data(DataConfig(dataset_id="digits"), RunConfig(), "cpu")
    assert torch.equal(again.train.images, digits.train.images)
    assert torch.equal(again.test.labels, digits.test.labels)


def test_the_catalogue_is_right_about_them(digits):
    assert digits.info == DATASETS["digits"]
    mean, std = channel_moments(digits.train.images.numpy())
    assert (mean, std) == (
        pytest.approx(digits.info.mean, abs=1e-6),
        pytest.approx(digits.info.std, abs=1e-6),
    )
    assert digits.train.shape == digits.info.shape == (1, 8, 8)


def test_training_images_have_mean_0_and_deviation_1(digits):
    images = torch.cat([images for images, _ in digits.train.batches(200)])
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std().item() == pytest.approx(1, abs=1e-3)
