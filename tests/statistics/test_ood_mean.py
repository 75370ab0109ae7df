"""The mean of out-of-distribution features."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import few

from layerscope.statistics import OutOfDistribution


def mean_of(features, sizes=None):
    found = OutOfDistribution(features.shape[1])
    for part in features.split(sizes or [len(features)]):
        found.update(part)
    return found


@pytest.mark.parametrize("offset", [0.0, 1e6])
@given(seed=st.integers(0, 10_000))
@few
def test_batches_and_merges_give_the_mean(offset, seed):
    rng = random.Random(seed)
    features = offset + torch.randn(40, 3, generator=torch.Generator().manual_seed(seed)).double()
    cut = rng.randrange(41)
    halves = [mean_of(part, rng.choice([None, 1, 7])) for part in features.split([cut, 40 - cut])]
    for found in (mean_of(features, 6), halves[0].merge(halves[1])):
        torch.testing.assert_close(found.compute(), features.mean(dim=0), rtol=1e-13, atol=1e-13)
        assert found.samples == 40


def test_narrow_features_are_summed_in_float64():
    features = torch.full((3000, 2), 0.1, dtype=torch.float16)
    assert mean_of(features, 100).mean.tolist() == [float(features[0, 0])] * 2


def test_its_state_continues_elsewhere():
    features = torch.randn(10, 3)
    first, other = mean_of(features[:4]), OutOfDistribution(3)
    other.load_state_dict(first.state_dict())
    first.update(features[4:])
    assert other.samples == 4
    other.update(features[4:])
    assert torch.equal(first.mean, other.mean)


def test_nothing_has_no_mean():
    assert OutOfDistribution(2).mean.isnan().all()
    assert mean_of(torch.ones(0, 2)).samples == 0


def test_bad_batches_are_refused_and_change_nothing():
    found = mean_of(torch.ones(2, 3))
    for features in (torch.ones(2, 4), torch.ones(3), torch.full((1, 3), float("inf"))):
        with pytest.raises(ValueError, match=r"must be|not finite"):
            found.update(features)
    assert found.mean.tolist() == [1.0] * 3
    with pytest.raises(ValueError, match="cannot merge"):
        found.merge(OutOfDistribution(2))
