"""A seeded subset of samples that depends on nothing but seed, indices and labels."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import few, samples

from layerscope.functional.priorities import priorities
from layerscope.statistics import FeatureSample

seeds = st.integers(0, 10_000)


def sampled(features, labels, parts, *, per_class=5, seed=0):
    """One sample of all parts, each a tensor of indices."""
    found = FeatureSample(per_class, 4, features.shape[1], seed=seed)
    for part in parts:
        found.update(features[part], labels[part], part)
    return found


def assert_same(one, other):
    for first, second in zip(one.compute(), other.compute(), strict=True):
        assert torch.equal(first, second)


@given(seed=seeds)
@few
def test_batches_order_and_merges_choose_the_same_samples(seed):
    features, labels = samples(seed, count=120)
    rng = random.Random(seed)
    order = torch.tensor(rng.sample(range(120), 120))
    whole = sampled(features, labels, [torch.arange(120)], seed=seed)
    assert_same(sampled(features, labels, torch.split(order, rng.randrange(1, 40)), seed=seed), whole)
    halves = [sampled(features, labels, torch.split(part, 7), seed=seed) for part in torch.split(order, 50)]
    merged = halves[1].merge(halves[2]).merge(halves[0])
    assert_same(merged, whole)


def test_every_class_keeps_what_it_has_up_to_the_limit():
    labels = torch.tensor([0] * 50 + [1] * 3 + [2] * 5)
    features = torch.arange(58.0)[:, None]
    found = sampled(features, labels, [torch.arange(58)]).compute()
    assert torch.bincount(found.labels).tolist() == [5, 3, 5]
    assert torch.equal(found.features.squeeze(1), found.indices.float())
    assert torch.equal(found.labels, labels[found.indices])
    assert found.indices.tolist() == sorted(found.indices.tolist())


def test_the_seed_chooses_and_the_choice_is_even():
    features, labels = torch.arange(1000.0)[:, None], torch.zeros(1000, dtype=torch.int64)
    chosen = [
        set(sampled(features, labels, [torch.arange(1000)], per_class=100, seed=s).compute().indices.tolist())
        for s in range(20)
    ]
    assert chosen[0] != chosen[1]
    means = [sum(indices) / 100 for indices in chosen]
    assert abs(sum(means) / 20 - 499.5) < 25  # standard error 6.1
    assert len(set.union(*chosen)) > 800


def test_priorities_are_distinct_and_use_all_bits():
    found = priorities(torch.arange(100_000), 7)
    assert len(found.unique()) == 100_000
    assert 0.49 < float((found > 0).double().mean()) < 0.51
    assert torch.equal(priorities(torch.tensor([5, 9]), 7), found[[5, 9]])


def test_its_state_continues_elsewhere():
    features, labels = samples(1, count=60)
    first = sampled(features, labels, [torch.arange(30)])
    other = FeatureSample(5, 4, features.shape[1])
    other.load_state_dict(first.state_dict())
    for found in (first, other):
        found.update(features[30:], labels[30:], torch.arange(30, 60))
    assert_same(first, other)


def test_wider_features_widen_what_is_kept():
    found = FeatureSample(2, 1, 3)
    found.update(torch.ones(1, 3), torch.tensor([0]), torch.tensor([0]))
    found.update(torch.ones(1, 3).double(), torch.tensor([0]), torch.tensor([1]))
    assert found.compute().features.dtype == torch.float64


@pytest.mark.parametrize(
    ("features", "labels", "indices", "message"),
    [
        (torch.ones(2, 4), [0, 1], [0, 1], r"must be \(batch, 3\)"),
        (torch.ones(2, 3), [0, 9], [0, 1], "must lie in 0 … 3"),
        (torch.ones(2, 3), [0, 1], [0], "must have as many labels"),
        (torch.full((2, 3), float("nan")), [0, 1], [7, 8], "2 of 2 samples"),
        (torch.ones(2, 3), [0, 0], [5, 5], "given twice"),
    ],
)
def test_bad_batches_are_refused_and_change_nothing(features, labels, indices, message):
    found = FeatureSample(2, 4, 3)
    found.update(torch.zeros(1, 3), torch.tensor([0]), torch.tensor([0]))
    with pytest.raises(ValueError, match=message):
        found.update(features, torch.tensor(labels), torch.tensor(indices))
    assert found.compute().indices.tolist() == [0]


def test_samples_of_other_seeds_are_not_merged():
    with pytest.raises(ValueError, match="cannot merge"):
        FeatureSample(2, 4, 3, seed=1).merge(FeatureSample(2, 4, 3, seed=2))
    with pytest.raises(ValueError, match="at least one"):
        FeatureSample(0, 4, 3)
