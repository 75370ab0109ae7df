"""Correlations of two numbers of many runs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from layerscope.results.correlation import correlation


def pairs(n: int, rho: float, seed: int = 0):
    drawn = np.random.default_rng(seed).normal(size=(2, n))
    return drawn[0], rho * drawn[0] + math.sqrt(1 - rho**2) * drawn[1]


def test_coefficients_and_p_values_are_those_of_their_definitions():
    x, y = pairs(40, 0.6)
    y = np.round(y, 1)  # with ties
    found = correlation(x, y)
    for kind, expected in (("pearson", stats.pearsonr(x, y)), ("spearman", stats.spearmanr(x, y))):
        assert getattr(found, kind) == pytest.approx(expected.statistic, rel=1e-12)
        assert getattr(found, f"{kind}_p") == pytest.approx(expected.pvalue, rel=1e-9)


def test_ranks_see_any_monotone_relation_and_lines_a_linear_one():
    x = np.linspace(0, 4, 30)
    found = correlation(x, np.exp(x))
    assert found.spearman == pytest.approx(1.0)
    assert found.pearson < 0.95
    assert correlation(x, -2 * x + 1).pearson == pytest.approx(-1.0)


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    held = [correlation(*pairs(60, 0.5, seed), resamples=200) for seed in range(60)]
    share = np.mean([each.pearson_low < 0.5 < each.pearson_high for each in held])
    assert 0.83 < share <= 1.0


def test_the_same_seed_gives_the_same_interval_whatever_else_is_drawn():
    x, y = pairs(25, 0.3)
    first = correlation(x, y)
    np.random.default_rng(1).normal(size=5)
    assert correlation(x, y) == first
    assert correlation(x, y, seed=1).pearson_low != first.pearson_low


def test_values_that_are_not_finite_are_left_out_in_pairs():
    x, y = pairs(20, 0.5)
    spoilt = np.concatenate([x, [np.nan, 1.0, np.inf]]), np.concatenate([y, [1.0, np.nan, 2.0]])
    assert correlation(*spoilt) == correlation(x, y)


@pytest.mark.parametrize(
    ("x", "y"), [([1.0, 2.0], [3.0, 4.0]), ([1.0] * 5, range(5)), ([np.nan] * 9, range(9))]
)
def test_too_few_or_constant_numbers_have_no_correlation(x, y):
    found = correlation(x, list(map(float, y)))
    assert math.isnan(found.pearson)
    assert math.isnan(found.spearman_low)
