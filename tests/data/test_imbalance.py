from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.config import Config, parse_config
from layerscope.config.sections.imbalance import ImbalanceConfig
from layerscope.data.catalog import SMALLEST_CLASS, describe
from layerscope.data.imbalance import class_sizes, imbalanced
from layerscope.data.load import load_data
from layerscope.data.split import class_counts
from layerscope.errors import DataError

BALANCED = np.repeat(np.arange(10), 50)


def exp(factor, least=1, profile="exp"):
    return ImbalanceConfig(factor=factor, profile=profile, min_per_class=least)


def config_with(**data) -> Config:
    return parse_config(
        {
            "Model": {"model-name": "mlp_small"},
            "Data": {"dataset-id": "digits", **data},
            "Optimizer": {"lr": 0.1, "epochs": 1},
            "Logging": {"save-dir": "x"},
        }
    )


def loaded(**data):
    config = config_with(**data)
    return load_data(config.data, config.run, "cpu")


def test_cifar10_with_factor_one_hundredth_is_the_published_long_tail():
    """Cui et al. 2019 and Cao et al. 2019 train on these 12 406 images."""
    sizes = class_sizes(exp(0.01), [5000] * 10)
    assert sizes == (5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50)


def test_cifar100_with_factor_one_hundredth_has_the_published_number_of_images():
    sizes = class_sizes(exp(0.01), [500] * 100)
    assert (sum(sizes), sizes[0], sizes[-1]) == (10847, 500, 5)


@pytest.mark.parametrize(("classes", "frequent"), [(10, 5), (5, 3), (2, 1)])
def test_a_step_has_its_larger_half_of_frequent_classes(classes, frequent):
    sizes = class_sizes(exp(0.1, profile="step"), [200] * classes)
    assert sizes == (200,) * frequent + (20,) * (classes - frequent)


def test_native_keeps_everything():
    settings = ImbalanceConfig(profile="native")
    assert class_sizes(settings, [7, 3, 9]) == (7, 3, 9)
    labels = np.array([0, 2, 2, 1, 0])
    assert imbalanced(labels, settings, 3, seed=0).tolist() == [0, 1, 2, 3, 4]


def test_no_rounding_of_floating_point_takes_a_sample_away():
    assert class_sizes(exp(0.29), [100, 100]) == (100, 29)


@given(st.integers(2, 60), st.integers(1, 3000), st.integers(1, 1000), st.integers(1, 5))
def test_sizes_fall_from_the_smallest_class_to_its_share(classes, most, permille, least):
    sizes = class_sizes(exp(permille / 1000, min(least, most)), [most] * classes)
    rarest = int(Fraction(most * permille, 1000))
    assert sizes[0] == most
    assert sizes[-1] == max(rarest, min(least, most))
    assert all(one >= other for one, other in pairwise(sizes))


def test_the_smallest_class_is_the_most_that_any_keeps():
    assert class_sizes(exp(1.0), [9, 4, 6]) == (4, 4, 4)


@pytest.mark.parametrize("factor", [1.0, 0.3, 0.02])
def test_the_samples_kept_are_as_many_as_the_sizes_say(factor):
    kept = imbalanced(BALANCED, exp(factor), 10, seed=3)
    assert tuple(np.bincount(BALANCED[kept])) == class_sizes(exp(factor), [50] * 10)
    assert (np.diff(kept) > 0).all()


def test_one_seed_gives_one_choice_and_a_smaller_factor_a_part_of_it():
    kept = imbalanced(BALANCED, exp(0.1), 10, seed=3)
    assert np.array_equal(kept, imbalanced(BALANCED, exp(0.1), 10, seed=3))
    assert not np.array_equal(kept, imbalanced(BALANCED, exp(0.1), 10, seed=4))
    assert set(imbalanced(BALANCED, exp(0.05), 10, seed=3)) < set(kept)


def test_a_class_that_would_get_no_sample_is_an_error_that_names_it():
    with pytest.raises(DataError, match="no training sample to 2 of 10 classes, the first is class 8"):
        class_sizes(exp(0.01, least=0), [50] * 10)


def test_a_minimum_that_no_class_can_give_is_an_error():
    with pytest.raises(DataError, match="min-per-class is 60, but class 0 has only 50"):
        class_sizes(exp(0.01, least=60), [50] * 10)


def test_what_is_known_of_a_published_set_is_refused_before_it_is_read():
    config = config_with(**{"dataset-id": "cifar10", "imbalance": {"factor": 1e-5, "min-per-class": 0}})
    with pytest.raises(DataError, match="the first is class 7"):
        describe(config.data)


def test_the_size_of_the_training_set_is_known_beforehand():
    config = config_with(**{"dataset-id": "cifar10", "imbalance": {"factor": 0.01}})
    assert describe(config.data).train_samples == 12406


def test_the_smallest_class_of_the_digits_is_known(caplog):
    data = loaded()
    assert int(class_counts(data.train).min()) == SMALLEST_CLASS["digits"]
    assert not caplog.records


def test_subset_then_imbalance_then_random_labels(caplog):
    imbalance = {"factor": 0.1}
    data = loaded(subset=500, imbalance=imbalance)
    counts = class_counts(data.train).tolist()
    whole = class_counts(loaded(subset=500).train).tolist()
    assert tuple(counts) == class_sizes(exp(0.1), whole)
    assert data.info.train_samples == len(data.train) == sum(counts)
    noisy = loaded(subset=500, imbalance=imbalance, **{"random-labels": 0.5})
    assert len(noisy.train) == len(data.train)
    assert class_counts(noisy.train).tolist() != counts
    assert "the test split of digits is not balanced (26 to 48 samples of a class)" in caplog.text


def test_the_test_split_stays_as_it_is():
    assert (
        class_counts(loaded(imbalance={"factor": 0.1}).test).tolist() == class_counts(loaded().test).tolist()
    )


def test_grey_images_are_repeated_in_three_channels():
    grey, colour = loaded(), loaded(channels=3)
    assert colour.train.shape == colour.info.shape == (3, 8, 8)
    (one, _), (three, _) = (next(iter(data.train.batches(5))) for data in (grey, colour))
    assert all((three[:, channel] == one[:, 0]).all() for channel in range(3))


def test_colour_images_are_not_made_of_other_channels():
    config = config_with(**{"dataset-id": "cifar10", "channels": 4})
    with pytest.raises(DataError, match="channels is 4, but the images of cifar10 have 3"):
        describe(config.data)
