"""Gaussian mutual information, against canonical correlations and closed forms."""

import math

import information_reference as reference
import numpy as np
import pytest
import torch

from layerscope.data.known_information import equicorrelated_gaussian, gaussian_pairs
from layerscope.functional import gaussian_mutual_information, gaussian_mutual_information_of


def samples(count, dim_x, dim_y, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, dim_x, generator=generator, dtype=torch.float64)
    mixing = torch.randn(dim_x, dim_y, generator=generator, dtype=torch.float64)
    return x, x @ mixing + torch.randn(count, dim_y, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize(("dim_x", "dim_y"), [(1, 1), (3, 5), (20, 4)])
def test_values_are_those_of_the_canonical_correlations(dim_x, dim_y):
    x, y = samples(300, dim_x, dim_y)
    found = gaussian_mutual_information(x, y)
    assert found.value == pytest.approx(reference.gaussian(x.numpy(), y.numpy()), rel=1e-10)
    assert found.dims == (dim_x, dim_y)


@pytest.mark.parametrize("rho", [0.6, 0.8, 0.9])
def test_a_known_covariance_has_the_information_of_the_closed_form(rho):
    covariance = torch.tensor([[1.0, rho], [rho, 1.0]], dtype=torch.float64)
    assert gaussian_mutual_information_of(covariance, 1) == pytest.approx(
        -0.5 * math.log(1 - rho**2), abs=1e-15
    )


def test_determinants_that_would_underflow_do_no_harm():
    # D-32: a determinant of 400 variances of 1e-5 is 0 in float64.
    x, y = samples(1000, 200, 200)
    found = gaussian_mutual_information(1e-5 * x, 1e5 * y)
    assert found.value == pytest.approx(gaussian_mutual_information(x, y).value, rel=1e-9)
    assert math.isfinite(found.value)


def test_the_unbiased_value_averages_to_the_truth_where_the_plain_one_does_not():
    truth = equicorrelated_gaussian(2, 0.5, dim=4).nats
    found = [
        gaussian_mutual_information(known.x, known.y)
        for known in (equicorrelated_gaussian(40, 0.5, dim=4, seed=seed) for seed in range(300))
    ]
    unbiased = np.array([each.unbiased for each in found])
    error = unbiased.std() / math.sqrt(len(found))
    assert abs(unbiased.mean() - truth) < 3 * error
    assert np.mean([each.value for each in found]) - truth > 0.2


def test_pairs_matter():
    # D-30: a cross-covariance over all pairs is 0 for every data set.
    known = gaussian_pairs(2000, 0.8)
    shuffled = known.y[torch.randperm(2000, generator=torch.Generator().manual_seed(0))]
    assert gaussian_mutual_information(known.x, known.y).value == pytest.approx(known.nats, abs=0.05)
    assert gaussian_mutual_information(known.x, shuffled).value < 0.01


def test_no_invertible_linear_map_of_a_block_changes_the_value():
    x, y = samples(200, 3, 2)
    mixing = torch.tensor([[2.0, 1, 0], [0, 1, -1], [1, 0, 3]], dtype=torch.float64)
    value = gaussian_mutual_information(x, y).value
    assert gaussian_mutual_information(x @ mixing + 5, 1e-3 * y).value == pytest.approx(value, rel=1e-9)
    assert gaussian_mutual_information(y, x).value == pytest.approx(value, rel=1e-12)


def test_a_ridge_lowers_the_value_once_and_changes_no_input():
    # D-31: the ridge was added twice to the marginals, and to the caller's own arrays.
    x, y = samples(200, 2, 2)
    before = x.clone(), y.clone()
    found = gaussian_mutual_information(x, y, ridge=0.1)
    assert torch.equal(x, before[0])
    assert torch.equal(y, before[1])
    both = np.corrcoef(torch.cat([x, y], dim=1).numpy().T) + 0.1 * np.eye(4)
    logs = [np.linalg.slogdet(part)[1] for part in (both[:2, :2], both[2:, 2:], both)]
    assert found.value == pytest.approx((logs[0] + logs[1] - logs[2]) / 2, rel=1e-12)
    assert found.value < gaussian_mutual_information(x, y).value
    assert (found.status, found.ridge) == ("degenerate", 0.1)
    assert math.isnan(found.unbiased)


def test_a_copy_has_infinite_information():
    x, _ = samples(100, 3, 1)
    found = gaussian_mutual_information(x, x[:, :1] - 2 * x[:, 1:2])
    assert (found.value, found.status) == (math.inf, "infinite")


def test_dependent_columns_within_a_block_leave_it_undefined_unless_there_is_a_ridge():
    x, y = samples(100, 2, 2)
    doubled = torch.cat([x, x.sum(dim=1, keepdim=True)], dim=1)
    assert gaussian_mutual_information(doubled, y).status == "undefined"
    assert math.isfinite(gaussian_mutual_information(doubled, y, ridge=1e-3).value)


def test_too_few_samples_leave_it_undefined():
    x, y = samples(10, 5, 5)
    assert gaussian_mutual_information(x, y).status == "undefined"
    assert gaussian_mutual_information(*samples(12, 5, 5)).status == "ok"


def test_a_block_that_does_not_vary_has_none():
    x, y = samples(50, 2, 2)
    found = gaussian_mutual_information(torch.ones_like(x), y)
    assert (found.value, found.unbiased, found.status) == (0.0, 0.0, "degenerate")


def test_bits_are_nats_over_ln_2():
    x, y = samples(100, 2, 2)
    nats, bits = (gaussian_mutual_information(x, y, units=units) for units in ("nats", "bits"))
    assert bits.value == pytest.approx(nats.value / math.log(2), rel=1e-14)
    assert bits.unbiased == pytest.approx(nats.unbiased / math.log(2), rel=1e-14)


@pytest.mark.parametrize(
    ("covariance", "dim_x", "message"),
    [
        (torch.eye(3), 3, "not \\(3, 3\\)"),
        (torch.ones(2, 3), 1, "covariance of two blocks"),
        (torch.zeros(2, 2), 1, "positive variances"),
        (torch.full((2, 2), math.nan), 1, "finite"),
    ],
)
def test_what_is_no_covariance_is_refused(covariance, dim_x, message):
    with pytest.raises(ValueError, match=message):
        gaussian_mutual_information_of(covariance, dim_x)


def test_a_negative_ridge_is_refused():
    x, y = samples(20, 1, 1)
    with pytest.raises(ValueError, match="negative"):
        gaussian_mutual_information(x, y, ridge=-1.0)


def test_far_groups_have_the_information_of_their_agreement_which_is_not_bounded_by_that_of_labels():
    classes, samples, agreement = 10, 2000, 0.95
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(samples) % classes
    other = (label + torch.randint(1, classes, (samples,), generator=generator)) % classes
    partner = torch.where(torch.rand(samples, generator=generator) < agreement, label, other)
    x, y = (torch.eye(classes, dtype=torch.float64)[which][:, :-1] for which in (label, partner))
    rho = (agreement * classes - 1) / (classes - 1)
    found = gaussian_mutual_information(x, y).unbiased
    assert found == pytest.approx(-(classes - 1) / 2 * math.log(1 - rho**2), rel=0.06)
    assert found > 3 * math.log(classes)
