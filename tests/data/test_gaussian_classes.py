"""The synthetic classes: their distribution, and the truths that are computed of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from layerscope.config import DataConfig, RunConfig, parse_config
from layerscope.config.sections.gaussian import GaussianConfig
from layerscope.data.catalog import describe
from layerscope.data.gaussian_classes import GaussianClasses
from layerscope.data.load import load_data
from layerscope.errors import ConfigError


def classes(**keys):
    return GaussianClasses.of(GaussianConfig(**{"classes": 5, "height": 2, "width": 4, **keys}))


def test_all_means_have_the_same_distance_and_their_centre_is_the_origin():
    means = classes(separation=3.0).means
    distances = np.linalg.norm(means[:, None] - means, axis=2)
    np.testing.assert_allclose(distances[~np.eye(5, dtype=bool)], 3.0)
    np.testing.assert_allclose(means.mean(axis=0), 0, atol=1e-12)


def test_samples_have_the_moments_that_were_asked_for():
    world = classes(correlation=0.6, spread=2.0)
    samples, labels = world.sample(50_000, np.random.default_rng(0))
    assert np.bincount(labels).tolist() == [10_000] * 5
    for label, scale in ((0, 1.0), (4, 2.0)):
        own = samples[labels == label]
        np.testing.assert_allclose(own.mean(axis=0), world.means[label], atol=0.1)
        expected = scale**2 * 0.6 ** np.abs(np.arange(8)[:, None] - np.arange(8))
        np.testing.assert_allclose(np.cov(own.T), expected, atol=0.15)


@pytest.mark.parametrize("separation", [0.5, 2.0, 4.0])
def test_two_classes_have_the_accuracy_and_information_of_one_dimension(separation):
    """Only the direction of the means matters: N(±d/2, 1), of which everything is an integral."""
    world, half = classes(classes=2, separation=separation), separation / 2
    accuracy, information = world.bayes_accuracy(), world.information()
    assert accuracy.value == pytest.approx(norm.cdf(half), abs=5 * accuracy.error)

    def density(x):
        return (norm.pdf(x, half) + norm.pdf(x, -half)) / 2

    entropy, _ = quad(lambda x: -density(x) * math.log(density(x)), -12, 12)
    truth = entropy - 0.5 * math.log(2 * math.pi * math.e)
    assert information.value == pytest.approx(truth, abs=5 * information.error)
    assert information.error < 0.002


def test_classes_on_one_place_share_nothing_and_distant_ones_all():
    nothing = classes(separation=0.0)
    assert nothing.information(2000).value == pytest.approx(0, abs=1e-12)
    assert nothing.bayes_accuracy(2000).value == pytest.approx(0.2)
    everything = classes(separation=60.0)
    assert everything.information(2000).value == pytest.approx(math.log(5))
    assert everything.bayes_accuracy(2000).value == pytest.approx(1)


def test_widths_alone_tell_classes_apart():
    """Two classes with one mean: the log density ratio of N(0, 1) and N(0, s²) in D dimensions is of |x|²."""
    world = classes(classes=2, separation=0.0, spread=3.0)
    # |x| <= c decides for the narrow class, c² = 2 D log s / (1 - 1/s²); |x|² is chi-squared
    from scipy.stats import chi2

    cut = 2 * 8 * math.log(3) / (1 - 1 / 9)
    truth = (chi2.cdf(cut, 8) + chi2.sf(cut / 9, 8)) / 2
    found = world.bayes_accuracy()
    assert found.value == pytest.approx(truth, abs=5 * found.error)


def test_the_error_is_the_spread_of_repeated_estimates():
    world = classes(separation=2.0)
    found = [world.information(2000, seed) for seed in range(40)]
    spread = np.std([each.value for each in found], ddof=1)
    # classes in even numbers take some of the variance away
    assert 0.5 * found[0].error < spread < 1.3 * found[0].error


def config(**gaussian):
    return DataConfig(dataset_id="gaussian_classes", gaussian=GaussianConfig(**gaussian))


def test_the_set_is_what_the_config_says_and_the_same_for_every_run():
    settings = config(classes=3, height=4, width=6, train=90, test=30)
    one, other = (load_data(settings, RunConfig(run=run), "cpu") for run in (0, 1))
    assert one.train.shape == (1, 4, 6)
    assert one.train.labels.bincount().tolist() == [30, 30, 30]
    assert len(one.test) == 30
    assert torch.equal(one.train.images, other.train.images)
    assert not torch.equal(one.train.images[:30], one.test.images)
    assert describe(settings).shape == (1, 4, 6)
    assert describe(settings).train_samples == 90
    (images, _) = next(one.train.batches(90))
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std().item() == pytest.approx(1, abs=1e-2)


def test_another_seed_is_another_set():
    one, other = (load_data(config(seed=seed), RunConfig(), "cpu") for seed in (0, 1))
    assert not torch.equal(one.train.images, other.train.images)


@pytest.mark.parametrize(
    ("gaussian", "message"),
    [
        ({"classes": 1}, "classes must be a whole number of at least 2, not 1"),
        ({"classes": 20, "height": 3, "width": 3}, "have means at equal distances only in 19 dimensions"),
        ({"correlation": 1.0}, "correlation must be a number from 0 to below 1, not 1.0"),
        ({"test": 5}, "is less than one sample for each of 10 classes"),
    ],
)
def test_distributions_that_do_not_exist_are_refused(gaussian, message):
    tree = {
        "Model": {"model-name": "mlp"},
        "Data": {"dataset-id": "gaussian_classes", "gaussian": gaussian},
        "Optimizer": {"lr": 0.1, "epochs": 2},
        "Logging": {"save-dir": "x"},
    }
    with pytest.raises(ConfigError, match=message):
        parse_config(tree)


def test_other_sets_have_no_use_for_it():
    with pytest.raises(ValueError, match="gaussian means nothing for digits; it is for gaussian_classes"):
        DataConfig(dataset_id="digits", gaussian=GaussianConfig())
