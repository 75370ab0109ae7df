"""Pooled scatter and its randomized sketch: any batches, any merges, any class weights."""

import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import few, samples

from layerscope.functional import covariance_spectrum
from layerscope.statistics import ClassMoments

seeds = st.integers(0, 10_000)
CLASSES = 4


def accumulate(features, labels, size=None, **options):
    moments = ClassMoments(
        CLASSES, features.shape[1], scatter=True, sketch=4, dtype=features.dtype, **options
    )
    for rows, names in zip(features.split(size or 1000), labels.split(size or 1000), strict=True):
        moments.update(rows, names)
    return moments


def balanced_within(features, labels):
    """Mean over classes of the biased class covariance."""
    parts = []
    for c in labels.unique():
        rows = features[labels == c] - features[labels == c].mean(dim=0)
        parts.append(rows.T @ rows / len(rows))
    return torch.stack(parts).mean(dim=0)


@pytest.mark.parametrize("offset", [0.0, 1e3])
@given(seed=seeds)
@few
def test_a_full_sketch_has_the_spectrum_of_the_scatter(offset, seed):
    features, labels = samples(seed, dim=4, offset=offset)
    rng = random.Random(seed)
    parts = [
        accumulate(f, y, rng.randrange(1, 9))
        for f, y in zip(features.split(17), labels.split(17), strict=True)
    ]
    merged = parts[0]
    for part in parts[1:]:
        merged.merge(part)
    for moments in (accumulate(features, labels, 5), merged):
        exact = covariance_spectrum(moments.within_covariance)
        found = moments.within_spectrum
        torch.testing.assert_close(found.values, exact.values, rtol=1e-7, atol=1e-9)
        assert found.trace == pytest.approx(exact.trace, rel=1e-9)
        assert found.captured == pytest.approx(1.0, rel=1e-7)


@given(seed=seeds)
@few
def test_known_class_sizes_make_every_class_count_the_same(seed):
    features, labels = samples(seed)
    counts = torch.bincount(labels, minlength=CLASSES)
    share = 1 / counts.double().clamp(min=1)
    truth = balanced_within(features, labels)
    whole = accumulate(features, labels, 7, sample_weights=share)
    halves = [
        accumulate(f, y, 5, sample_weights=share)
        for f, y in zip(features.split(21), labels.split(21), strict=True)
    ]
    merged = halves[0]
    for half in halves[1:]:
        merged.merge(half)
    for moments in (whole, merged):
        torch.testing.assert_close(moments.within_covariance, truth, rtol=1e-9, atol=1e-10)


def test_a_narrow_sketch_tells_what_it_misses():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(600, 60, generator=generator, dtype=torch.float64)
    features = features * torch.arange(1, 61, dtype=torch.float64) ** -1.0
    labels = torch.arange(600) % CLASSES
    moments = ClassMoments(CLASSES, 60, scatter=True, sketch=20, dtype=torch.float64)
    moments.update(features, labels)
    exact = covariance_spectrum(moments.within_covariance)
    found = moments.within_spectrum
    assert 0.8 < found.captured < 1
    assert found.values[:3].tolist() == pytest.approx(exact.values[:3].tolist(), rel=0.05)
    assert (found.values <= exact.values[:20] * (1 + 1e-9)).all()


def test_its_state_continues_elsewhere():
    features, labels = samples(3)
    first = accumulate(features[:30], labels[:30], seed=5)
    other = ClassMoments(CLASSES, features.shape[1])
    other.load_state_dict(first.state_dict())
    for moments in (first, other):
        moments.update(features[30:], labels[30:])
    assert torch.equal(first.within_spectrum.values, other.within_spectrum.values)


def test_sketches_that_do_not_fit_are_not_merged():
    plain, wide = ClassMoments(2, 5), ClassMoments(2, 5, sketch=3)
    with pytest.raises(ValueError, match="with a sketch and moments without"):
        plain.merge(wide)
    with pytest.raises(ValueError, match="different widths or seeds"):
        wide.merge(ClassMoments(2, 5, sketch=3, seed=1))
    with pytest.raises(ValueError, match="weigh samples differently"):
        ClassMoments(2, 5).merge(ClassMoments(2, 5, sample_weights=torch.ones(2)))
    with pytest.raises(ValueError, match="sketch=columns"):
        _ = plain.within_spectrum


def test_results_by_name_are_those_of_the_present_classes():
    features, labels = samples(2)
    labels[labels == 1] = 2
    moments = accumulate(features, labels)
    found = moments.compute()
    assert found["classes"].tolist() == [0, 2, 3]
    assert torch.equal(found["means"], moments.means)
    assert torch.equal(found["counts"], moments.counts[[0, 2, 3]])


@pytest.mark.parametrize("size", [5, 200])
def test_a_first_sample_far_away_hides_no_small_direction_in_float32(size):
    """Offsets from it are a thousand deviations long: rounding of their products is a tenth of a variance."""
    draw = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=draw, dtype=torch.float64))[0]
    spread = torch.tensor([1, 1, 1, 1, 1, 0.1], dtype=torch.float64)
    latent = spread * torch.randn(400, 6, generator=draw, dtype=torch.float64)
    latent[0, :5] += 1e3
    labels = (torch.arange(400) % 2).long()
    features = (latent @ turn.T).float()
    moments = accumulate(features[:1], labels[:1])
    for rows, names in zip(features[1:].split(size), labels[1:].split(size), strict=True):
        moments.update(rows, names)
    small = turn[:, 5]
    exact = accumulate(features.double(), labels).within_covariance
    assert float(small @ moments.within_covariance @ small) == pytest.approx(
        float(small @ exact @ small), rel=1e-4
    )


def test_the_scatter_of_many_features_survives_merging_and_a_state():
    draw = torch.Generator().manual_seed(0)
    features, labels = torch.randn(90, 140, generator=draw, dtype=torch.float64), torch.arange(90) % CLASSES
    parts = [accumulate(f, y, 8) for f, y in zip(features.split(50), labels.split(50), strict=True)]
    again = accumulate(features[:1], labels[:1])
    again.load_state_dict(parts[0].state_dict())
    within = torch.zeros(140, 140, dtype=torch.float64)
    for c in range(CLASSES):
        rows = features[labels == c] - features[labels == c].mean(dim=0)
        within += rows.T @ rows / len(features)
    torch.testing.assert_close(again.merge(parts[1]).within_covariance, within, rtol=1e-9, atol=1e-12)
