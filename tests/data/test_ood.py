"""Images of another kind, as the model takes them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from layerscope.config import parse_config
from layerscope.data.catalog import DATASETS
from layerscope.data.load import load_data
from layerscope.data.ood import fitted, load_ood
from layerscope.errors import ConfigError, DataError

CPU = torch.device("cpu")


def config_of(**data):
    return parse_config(
        {
            "Model": {"model-name": "mlp_small"},
            "Data": {"dataset-id": "digits", **data},
            "Optimizer": {"lr": 0.1, "epochs": 1},
            "Logging": {"save-dir": "unused"},
        }
    )


def arrays(path, channels, dtype=np.uint8, size=6):
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (8, channels, size, size)).astype(dtype)
    labels = np.arange(8) % 2
    np.savez(path, train_images=images, train_labels=labels, test_images=images[:5], test_labels=labels[:5])
    return images[:5]


def ood_of(config, trained=DATASETS["digits"]):
    return load_ood(config.data, trained, config.run, CPU)


def test_without_such_a_set_there_is_none():
    assert ood_of(config_of()) is None


def test_the_set_itself_comes_out_as_it_is_trained_on():
    config = config_of(ood={"dataset-id": "digits"})
    expected = load_data(config.data, config.run, CPU)
    other = load_ood(config.data, expected.info, config.run, CPU)
    assert (other.name, len(other), other.shape) == ("ood", 360, (1, 8, 8))
    for (images, labels), (same, their) in zip(other.batches(100), expected.test.batches(100), strict=True):
        torch.testing.assert_close(images, same, rtol=1e-5, atol=1e-5)
        assert torch.equal(labels, their)


def test_images_get_the_size_and_normalisation_of_the_training_set(tmp_path):
    stored = arrays(tmp_path / "other.npz", 1)
    other = ood_of(config_of(ood={"dataset-id": "arrays", "root": str(tmp_path / "other.npz")}))
    [(images, _)] = other.batches(10)
    assert images.shape == (5, 1, 8, 8)
    info = DATASETS["digits"]
    pixels = fitted(torch.tensor(stored).double() / 255, (1, 8, 8))
    torch.testing.assert_close(images.double(), (pixels - info.mean[0]) / info.std[0], rtol=1e-4, atol=1e-5)


def test_grey_becomes_three_equal_channels_and_colour_its_luma():
    grey = torch.rand(2, 1, 4, 4, dtype=torch.float64)
    colour = fitted(grey, (3, 4, 4))
    assert torch.equal(colour, grey.repeat(1, 3, 1, 1))
    torch.testing.assert_close(fitted(colour, (1, 4, 4)), grey)


def test_channels_that_cannot_fit_are_refused_with_both_numbers(tmp_path):
    arrays(tmp_path / "other.npz", 3)
    config = config_of(ood={"dataset-id": "arrays", "root": str(tmp_path / "other.npz")})
    with pytest.raises(DataError, match=r"images of arrays have 3 channels, and the model takes 2"):
        ood_of(config, replace(DATASETS["digits"], channels=2, mean=(0.0, 0.0), std=(1.0, 1.0)))


def test_a_set_that_is_only_measured_is_no_part_of_what_a_run_is():
    assert config_of(ood={"dataset-id": "digits"}).hash == config_of().hash


@pytest.mark.parametrize(
    ("ood", "message"),
    [
        ({"dataset-id": "cifar11"}, "'cifar11' is not a known data set"),
        ({"dataset_id": "digits", "bach-size": 3}, "unknown key 'bach-size' in Data.ood"),
        ({"batch-size": 3}, "Data.ood lacks dataset-id"),
        ({"dataset-id": "digits", "ood": {"dataset-id": "digits"}}, "unknown key 'ood' in Data.ood"),
        ({"dataset-id": "arrays"}, "root is not set"),
    ],
)
def test_mistakes_in_its_keys_are_named(ood, message):
    with pytest.raises(ConfigError, match=message):
        config_of(ood=ood)
