"""Lengths and products of centred class means and classifier rows, one by one."""

import math

import pytest
import torch
from constructions import few, labelled, random_rotation, simplex
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    class_weights,
    equiangularity,
    equinorm,
    mean_norms,
    mean_products,
    self_duality_error,
    self_duality_etf,
    self_duality_frobenius,
    similarities,
    uniform_duality,
)

WEIGHTINGS = ["balanced", "sample"]


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_a_simplex_has_the_products_of_its_closed_form(classes):
    means = 2 * simplex(classes, 12) + 5
    expected = torch.full((classes, classes), -1 / (classes - 1), dtype=torch.float64).fill_diagonal_(1)
    torch.testing.assert_close(mean_products(means, cosine=True), expected, rtol=0, atol=1e-13)
    torch.testing.assert_close(mean_products(means), 4 * expected, rtol=0, atol=1e-12)
    torch.testing.assert_close(mean_norms(means), torch.full((classes,), 2.0).double(), rtol=1e-13, atol=0)
    dual = similarities(3 * (means - 5), means)
    torch.testing.assert_close(dual, torch.full((classes,), 12.0).double(), rtol=1e-12, atol=0)
    torch.testing.assert_close(
        similarities(means - 5, means, cosine=True), torch.ones(classes).double(), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@given(data=labelled)
@few
def test_values_are_those_of_the_definitions(weighting, data):
    weights = class_weights(data.counts, weighting)
    middle = sum(float(w) * mean for w, mean in zip(weights, data.means, strict=True))
    rows = [mean - middle for mean in data.means]
    for i, one in enumerate(rows):
        assert float(mean_norms(data.means, weights)[i]) == pytest.approx(float((one @ one) ** 0.5))
        for j, other in enumerate(rows):
            size = float(one.norm() * other.norm())
            found = float(mean_products(data.means, weights)[i, j])
            assert found == pytest.approx(float(one @ other), abs=1e-12 * size)
            cosine = float(mean_products(data.means, weights, cosine=True)[i, j])
            assert cosine == pytest.approx(float(one @ other) / size, abs=1e-12)


@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_they_do_not_depend_on_the_coordinates(data, seed):
    turn, shift = random_rotation(data.means.shape[1], seed), 10.0
    weight = torch.randn(data.means.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    for cosine in (False, True):
        kwargs = {"rtol": 1e-8, "atol": 1e-9}
        moved = data.means @ turn + shift
        torch.testing.assert_close(
            mean_products(moved, cosine=cosine), mean_products(data.means, cosine=cosine), **kwargs
        )
        torch.testing.assert_close(
            similarities(weight @ turn, moved, cosine=cosine),
            similarities(weight, data.means, cosine=cosine),
            **kwargs,
        )
    torch.testing.assert_close(
        similarities(3 * weight, 2 * data.means, cosine=True), similarities(weight, data.means, cosine=True)
    )


@given(data=labelled)
@few
def test_spreads_are_those_of_the_measures(data):
    norms, cosines = mean_norms(data.means), mean_products(data.means, cosine=True)
    assert equinorm(data.means) == pytest.approx(float(norms.std(correction=0) / norms.mean()))
    pairs = cosines[~torch.eye(len(norms), dtype=torch.bool)]
    assert equiangularity(data.means)[1] == pytest.approx(float(pairs.std(correction=0)), abs=1e-12)
    dual = uniform_duality(data.means, data.means)
    assert dual.variance == pytest.approx(float(similarities(data.means, data.means).var(correction=0)))


def test_a_mean_at_the_centre_has_no_cosine_but_a_length_of_zero():
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    assert float(mean_norms(means)[2]) == 0.0
    assert mean_products(means, cosine=True).isnan().tolist() == [[False, False, True]] * 2 + [[True] * 3]
    assert similarities(torch.ones(3, 2), means, cosine=True).isnan().tolist() == [False, False, True]


def test_both_forms_of_self_duality_go_by_their_names():
    generator = torch.Generator().manual_seed(0)
    weight, means = torch.randn(2, 4, 6, generator=generator, dtype=torch.float64)
    assert self_duality_error(weight, means) == self_duality_etf(weight, means)
    for center in (False, True):
        found = self_duality_error(weight, means, form="frobenius", center_weight=center)
        assert found == self_duality_frobenius(weight, means, center_weight=center)
    with pytest.raises(ValueError, match="form must be"):
        self_duality_error(weight, means, form="cosine")


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="cannot be compared with class means"):
        similarities(torch.ones(3, 2), torch.ones(4, 2))
    with pytest.raises(ValueError, match="as many weights"):
        mean_norms(torch.ones(3, 2), torch.ones(2) / 2)
    with pytest.raises(ValueError, match="not finite"):
        mean_products(torch.tensor([[math.nan, 1.0], [0.0, 1.0]]))
