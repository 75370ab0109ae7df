"""Latent mutual information in scikit-learn's manner."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from layerscope.data.known_information import embedded, gaussian_pairs
from layerscope.estimators import LatentMutualInformation

QUICK = {"dims": 2, "hidden": 8, "epochs": 5, "batch_size": 64, "patience": 3, "learning_rate": 1e-2}


@pytest.fixture(scope="module")
def samples():
    known = embedded(gaussian_pairs(500, 0.9), 12)
    return known.x.numpy(), known.y.numpy()


def test_a_fit_learns_and_measures_and_serves_other_samples(samples):
    x, y = samples
    estimator = LatentMutualInformation(**QUICK, cross_fit=False).fit(x[:300], y[:300])
    assert estimator.information_.value > 0.3
    assert estimator.transform(x[300:]).shape == (200, 1)  # x has one direction, for which one latent does
    assert estimator.score(x[300:], y[300:]) > 0.3
    rows = estimator.information_.folds[0].held_out.numpy()
    assert estimator.score(x[rows], y[rows]) == pytest.approx(estimator.information_.value, abs=1e-12)


def test_a_constructor_only_stores(samples):
    estimator = LatentMutualInformation(**QUICK, seed=3, units="bits")
    copied = clone(estimator)
    assert copied.get_params() == estimator.get_params()
    with pytest.raises(NotFittedError):
        copied.transform(samples[0])
    assert LatentMutualInformation(dims=0).dims == 0
    with pytest.raises(ValueError, match="dims"):
        LatentMutualInformation(dims=0).fit(*samples)


def test_too_few_samples_teach_nothing():
    estimator = LatentMutualInformation().fit(np.zeros((10, 2)), np.zeros((10, 2)))
    with pytest.raises(ValueError, match="at least 200"):
        estimator.transform(np.zeros((10, 2)))
