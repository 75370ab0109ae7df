"""The linear probe against scikit-learn, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from torch import nn

from layerscope.config import DataConfig, RunConfig
from layerscope.data.load import load_data
from layerscope.training.probe import RIDGE, fit_probe

DATA = load_data(DataConfig(dataset_id="digits", subset=300), RunConfig(), "cpu")


def model(bias=True):
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 20), nn.ReLU(), nn.Linear(20, 10, bias=bias))


@pytest.mark.parametrize("bias", [True, False])
def test_it_is_ridge_regression_of_the_one_hot_labels(bias):
    probed = model(bias)
    assert fit_probe(probed, DATA.train, batch_size=64)
    (images, labels) = next(DATA.train.batches(300))
    with torch.no_grad():
        features = probed[:3](images).double().numpy()
    spread = features.var(axis=0).mean() if bias else (features**2).mean()
    ridge = Ridge(alpha=RIDGE * spread * len(features), fit_intercept=bias)
    ridge.fit(features, np.eye(10)[labels.numpy()])
    np.testing.assert_allclose(probed[3].weight.detach(), ridge.coef_, rtol=1e-3, atol=1e-5)
    if bias:
        np.testing.assert_allclose(probed[3].bias.detach(), ridge.intercept_, rtol=1e-3, atol=1e-5)


def test_the_batch_size_changes_nothing_but_rounding():
    one, other = model(), model()
    fit_probe(one, DATA.train, batch_size=300)
    fit_probe(other, DATA.train, batch_size=7)
    torch.testing.assert_close(one[3].weight, other[3].weight, rtol=1e-5, atol=1e-6)


def test_only_the_classifier_changes():
    probed, before = model(), model().state_dict()
    fit_probe(probed, DATA.train, batch_size=64)
    assert torch.equal(probed[1].weight, before["1.weight"])
    assert not torch.equal(probed[3].weight, before["3.weight"])


def test_features_without_variance_give_the_frequencies_of_the_classes():
    probed = model()
    nn.init.zeros_(probed[1].weight)
    fit_probe(probed, DATA.train, batch_size=64)
    torch.testing.assert_close(probed[3].weight.detach(), torch.zeros(10, 20))
    shares = DATA.train.labels.bincount() / 300
    torch.testing.assert_close(probed[3].bias.detach(), shares)


def test_a_stop_leaves_the_classifier_as_it_was():
    probed, before = model(), model()[3].weight
    assert not fit_probe(probed, DATA.train, batch_size=64, pauses=lambda: True)
    assert torch.equal(probed[3].weight, before)
