"""Standard errors from random halves of a sample."""

from __future__ import annotations

import math

import torch

from layerscope.measures.estimation import Estimation
from layerscope.measures.information.estimates import Estimate, half_sample_errors
from layerscope.measures.information.observed import Observed
from layerscope.statistics.feature_sample import Sampled


def observed(count, repeats, labels=None):
    generator = torch.Generator().manual_seed(5)
    features = torch.randn(count, 1, generator=generator, dtype=torch.float64)
    labels = torch.zeros(count, dtype=torch.int64) if labels is None else labels
    rows = torch.arange(count)
    return Observed(
        features, labels, Sampled(features, labels, rows), rows, "train", Estimation(repeats=repeats)
    )


def mean(sample):
    return {("mean",): Estimate(float(sample.features.mean()), "feature")}


def test_the_error_of_a_mean_is_the_deviation_over_the_root_of_the_samples():
    sample = observed(200, repeats=400)
    expected = float(sample.features.std()) / math.sqrt(200)
    assert math.isclose(half_sample_errors(sample, mean)["mean",], expected, rel_tol=0.12)


def test_halves_are_even_over_the_classes():
    labels = torch.arange(40) % 4
    seen = []

    def counts(sample):
        seen.append(torch.bincount(sample.labels).tolist())
        return mean(sample)

    half_sample_errors(observed(40, 3, labels), counts)
    assert seen == [[5, 5, 5, 5]] * 3


def test_without_halves_there_is_no_error():
    assert half_sample_errors(observed(20, repeats=0), mean) == {}


def test_a_half_without_a_finite_estimate_leaves_the_error_open():
    def broken(sample):
        return {("x",): Estimate(math.inf, "1")}

    assert math.isnan(half_sample_errors(observed(20, repeats=3), broken)["x",])
