"""NC3: a classifier against the class means."""

import math

import numpy as np
import pytest
import torch
from constructions import few, labelled, random_labelled, random_rotation, simplex
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    bias_collapse,
    self_duality_etf,
    self_duality_frobenius,
    uniform_duality,
    weight_equiangularity,
    weight_equinorm,
    weight_etf_error,
)

seeds = st.integers(0, 10_000)


def weight_of(data, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(data.means.shape, generator=generator, dtype=torch.float64)


def values(weight, means):
    uniform = uniform_duality(weight, means)
    return [
        self_duality_frobenius(weight, means),
        self_duality_etf(weight, means),
        self_duality_etf(weight, means, center_weight=True),
        uniform.variation,
        uniform.cosine_variance,
        uniform.cosine_mean,
    ]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_a_multiple_of_a_simplex_is_self_dual(scale):
    means = simplex(6, 9) + 3
    weight = scale * simplex(6, 9)
    assert self_duality_frobenius(weight, means) == pytest.approx(0, abs=1e-14)
    assert self_duality_etf(weight, means) == pytest.approx(0, abs=1e-14)
    uniform = uniform_duality(weight, means)
    assert (uniform.variance, uniform.variation) == pytest.approx((0, 0), abs=1e-12)
    assert (uniform.cosine_variance, uniform.cosine_mean) == pytest.approx((0, 1), abs=1e-12)


def test_a_multiple_of_means_that_are_no_simplex_is_dual_in_one_sense_only():
    means = random_labelled(0, [1] * 5, 8).features
    weight = 2 * (means - means.mean(dim=0))
    assert self_duality_frobenius(weight, means) == pytest.approx(0, abs=1e-14)
    assert self_duality_etf(weight, means) > 0.05


def test_the_opposite_and_the_orthogonal_classifier():
    means = simplex(3, 4)
    assert self_duality_frobenius(-7 * means, means) == pytest.approx(4)
    assert self_duality_etf(-7 * means, means) == pytest.approx(2)
    both = torch.cat([means, torch.zeros(3, 4)], dim=1)
    elsewhere = torch.cat([torch.zeros(3, 4), means], dim=1)
    assert self_duality_frobenius(elsewhere, both) == pytest.approx(2)
    assert math.isnan(self_duality_etf(elsewhere, both))


@given(data=labelled, seed=seeds)
@few
def test_values_are_those_of_the_definitions(data, seed):
    weight, means = weight_of(data, seed), data.means
    w, m = weight.numpy(), (means - means.mean(dim=0)).numpy()
    classes = len(w)
    target = (np.eye(classes) - 1 / classes) / math.sqrt(classes - 1)
    product, middle = w @ m.T, (w - w.mean(axis=0)) @ m.T
    inner = np.array([a @ b for a, b in zip(w, m, strict=True)])
    cosines = inner / np.linalg.norm(w, axis=1) / np.linalg.norm(m, axis=1)
    expected = [
        np.linalg.norm(w / np.linalg.norm(w) - m / np.linalg.norm(m)) ** 2,
        np.linalg.norm(product / np.linalg.norm(product) - target),
        np.linalg.norm(middle / np.linalg.norm(middle) - target),
        inner.std() / abs(inner.mean()),
        cosines.var(),
        cosines.mean(),
    ]
    assert values(weight, means) == pytest.approx(expected, rel=1e-9)
    assert uniform_duality(weight, means).variance == pytest.approx(inner.var(), rel=1e-9)


@given(data=labelled, seed=seeds)
@few
def test_values_do_not_depend_on_the_coordinates_the_scale_or_the_order(data, seed):
    weight, means = weight_of(data, seed), data.means
    expected = values(weight, means)
    turn = random_rotation(means.shape[1], seed)
    order = torch.randperm(len(means), generator=torch.Generator().manual_seed(seed))
    for other in (
        (weight @ turn, means @ turn),
        (weight, means + 30),
        (3 * weight, 0.1 * means),
        (weight[order], means[order]),
        (torch.nn.functional.pad(weight, (0, 3)), torch.nn.functional.pad(means, (0, 3))),
    ):
        assert values(*other) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("means", [torch.ones(1, 3), torch.full((4, 3), 0.3)])
def test_means_that_coincide_have_no_dual(means):
    weight = torch.ones_like(means)
    assert math.isnan(self_duality_frobenius(weight, means))
    assert math.isnan(self_duality_etf(weight, means))
    assert math.isnan(uniform_duality(weight, means).cosine_variance)


def test_a_zero_classifier_has_no_direction():
    means = simplex(4, 5)
    zero = torch.zeros(4, 5)
    assert math.isnan(self_duality_frobenius(zero, means))
    assert math.isnan(self_duality_etf(zero, means))
    assert math.isnan(uniform_duality(zero, means).cosine_mean)
    assert math.isnan(weight_equinorm(zero))
    assert math.isnan(weight_etf_error(zero))


@pytest.mark.parametrize("function", [self_duality_frobenius, self_duality_etf, uniform_duality])
def test_a_classifier_of_another_shape_is_refused(function):
    with pytest.raises(ValueError, match=r"shape \(3, 4\) cannot be compared .* \(3, 5\)"):
        function(torch.ones(3, 4), torch.ones(3, 5))


def test_the_bias_that_undoes_the_centre_leaves_nothing():
    weight, center = simplex(4, 6), torch.arange(6.0)
    assert bias_collapse(weight, -weight @ center.double(), center) == pytest.approx(0, abs=1e-14)
    assert bias_collapse(weight, None, center) == pytest.approx(float((weight @ center.double()).norm()))
    with pytest.raises(ValueError, match="6 features cannot read 5"):
        bias_collapse(weight, None, center[:5])


@pytest.mark.parametrize("classes", [2, 5])
def test_the_rows_of_a_simplex_are_a_frame_with_and_without_a_common_row(classes):
    rows = simplex(classes, 6)
    for weight, center in ((rows, False), (rows, True), (rows + 5, True)):
        assert weight_equinorm(weight, center=center) == pytest.approx(0, abs=1e-12)
        assert weight_equiangularity(weight, center=center) == pytest.approx((0, 0), abs=1e-12)
        assert weight_etf_error(weight, center=center) == pytest.approx(0, abs=1e-12)
    assert weight_etf_error(rows + 5) > 0.5


def test_orthonormal_rows_have_the_values_done_by_hand():
    weight = torch.eye(4, dtype=torch.float64)
    assert weight_equinorm(weight) == 0.0
    assert weight_equiangularity(weight) == pytest.approx((1 / 3, 0))
    target = (np.eye(4) - 1 / 4) / math.sqrt(3)
    assert weight_etf_error(weight) == pytest.approx(np.linalg.norm(np.eye(4) / 2 - target))
    assert weight_etf_error(weight, center=True) == pytest.approx(0, abs=1e-14)


def test_the_unbiased_spread_divides_by_one_less():
    rows = torch.tensor([[1.0], [2.0], [3.0]])
    assert weight_equinorm(rows) == pytest.approx(math.sqrt(2 / 3) / 2)
    assert weight_equinorm(rows, unbiased=True) == pytest.approx(1 / 2)


@pytest.mark.parametrize(("classes", "dim"), [(30, 10), (40, 38), (40, 39), (60, 2)])
@pytest.mark.parametrize("kind", ["unrelated", "dual", "orthogonal"])
def test_the_distance_from_the_etf_is_that_of_all_products_however_many_classes(classes, dim, kind):
    draw = torch.Generator().manual_seed(0)
    means = torch.randn(classes, dim, generator=draw, dtype=torch.float64)
    means -= means.mean(dim=0)
    weight = torch.randn(classes, dim, generator=draw, dtype=torch.float64)
    if kind == "dual":
        weight = 3 * means
    if kind == "orthogonal":  # all but for a part of a millionth
        means[:, dim // 2 :] = 0
        weight[:, : dim // 2] = 1e-6 * means[:, : dim // 2]
    frame = (torch.eye(classes, dtype=torch.float64) - 1 / classes) / (classes - 1) ** 0.5
    products = weight @ means.T
    expected = float((products / products.norm() - frame).norm())
    assert self_duality_etf(weight, means) == pytest.approx(expected, rel=1e-10)
