"""NC1: within-class variability against the distances of the class means."""

import math

import collapse_reference as naive
import numpy as np
import pytest
import torch
from constructions import CHANGES, changed, few, labelled, random_labelled, simplex, with_isotropic_noise
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    between_basis,
    between_trace,
    cdnv,
    cdnv_pairs,
    class_weights,
    energies_along,
    nc1_from_energies,
    nc1_pinv,
    nc1_quotient,
    nc1_range_fraction,
    nc1_svd,
    pair_variability,
    traces,
    weights_by,
)

WEIGHTINGS = ["balanced", "sample"]


@pytest.mark.parametrize(("classes", "dim", "size"), [(5, 16, 0.1), (2, 3, 0.5), (4, 3, 1.0), (10, 12, 1e-3)])
def test_isotropic_noise_around_a_simplex_has_the_values_of_the_closed_form(classes, dim, size):
    data = with_isotropic_noise(simplex(classes, dim), size)
    within = data.within(class_weights(data.counts, "balanced"))
    basis = between_basis(data.means)

    pinv = size**2 * (classes - 1) ** 2 / classes
    assert nc1_pinv(within, data.means) == pytest.approx(pinv, rel=1e-11)
    energies = energies_along(basis, within)
    trace = float(within.trace())
    assert nc1_from_energies(energies, basis, trace, classes) == pytest.approx(pinv, rel=1e-11)
    assert trace == pytest.approx(size**2 * dim, rel=1e-12)
    assert between_trace(data.means) == pytest.approx(1.0, rel=1e-12)
    assert nc1_quotient(trace, between_trace(data.means)) == pytest.approx(size**2 * dim, rel=1e-12)
    assert nc1_range_fraction(energies, trace) == pytest.approx((classes - 1) / dim, rel=1e-12)
    pair = size**2 * dim * (classes - 1) / (2 * classes)
    values = cdnv(data.variances, data.means)
    expected = {name: pytest.approx(pair, rel=1e-11) for name in ("mean", "median", "max")}
    assert values == expected | {"infinite": 0, "coincident": 0}


def test_five_classes_in_sixteen_dimensions_have_the_published_numbers():
    data = with_isotropic_noise(simplex(5, 16), 0.1)
    within = data.within(class_weights(data.counts, "sample"))
    assert 5 * nc1_pinv(within, data.means) == pytest.approx(0.16, rel=1e-12)
    assert nc1_pinv(within, data.means) == pytest.approx(0.032, rel=1e-12)
    assert nc1_quotient(float(within.trace()), between_trace(data.means)) == pytest.approx(0.16, rel=1e-12)
    assert cdnv(data.variances, data.means)["mean"] == pytest.approx(0.064, rel=1e-12)


def test_collapse_is_zero():
    means = simplex(4, 6)
    within = torch.zeros(6, 6, dtype=torch.float64)
    assert nc1_pinv(within, means) == 0.0
    assert nc1_quotient(0.0, between_trace(means)) == 0.0
    assert cdnv(torch.zeros(4), means) == {
        "mean": 0.0,
        "median": 0.0,
        "max": 0.0,
        "infinite": 0,
        "coincident": 0,
    }
    assert math.isnan(nc1_range_fraction(torch.zeros(3), 0.0))


def test_noise_outside_the_span_of_the_means_does_not_count():
    means = torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], dtype=torch.float64)
    within = torch.diag(torch.tensor([0.0, 3.0, 1.0], dtype=torch.float64))
    assert nc1_pinv(within, means) == 0.0
    basis = between_basis(means)
    assert nc1_range_fraction(energies_along(basis, within), 4.0) == 0.0
    assert nc1_quotient(4.0, between_trace(means)) == pytest.approx(4.0)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@given(data=labelled)
@few
def test_values_are_those_of_the_definitions(weighting, data):
    features, labels = data.features.numpy(), data.labels.numpy()
    weights = class_weights(data.counts, weighting)
    means = naive.class_means(features, labels)
    within = naive.within_covariance(features, labels, weighting)
    between = naive.between_covariance(means, naive.weights_of(labels, weighting))

    assert nc1_pinv(data.within(weights), data.means, weights=weights) == pytest.approx(
        naive.nc1(within, between, len(means)), rel=1e-7
    )
    assert between_trace(data.means, weights) == pytest.approx(np.trace(between), rel=1e-11)
    variances = np.trace(naive.class_covariances(features, labels), axis1=1, axis2=2)
    pairs = naive.cdnv(variances, means)
    assert cdnv(data.variances, data.means) == {
        "mean": pytest.approx(np.mean(pairs), rel=1e-10),
        "median": pytest.approx(np.median(pairs), rel=1e-10),
        "max": pytest.approx(np.max(pairs), rel=1e-10),
        "infinite": 0,
        "coincident": 0,
    }


def summary(data, weighting):
    """Every value of degree 0."""
    weights = class_weights(data.counts, weighting)
    within, basis = data.within(weights), between_basis(data.means, weights)
    pairs = cdnv(data.variances, data.means)
    trace, energies = float(within.trace()), energies_along(basis, within)
    return [
        nc1_pinv(within, data.means, weights=weights),
        nc1_from_energies(energies, basis, trace, len(data.means)),
        nc1_quotient(trace, between_trace(data.means, weights)),
        nc1_range_fraction(energies, trace),
        *(pairs[name] for name in ("mean", "median", "max")),
    ]


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("change", CHANGES)
@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_values_do_not_depend_on_the_coordinates_the_names_or_the_order(weighting, change, data, seed):
    expected = summary(data, weighting)
    assert summary(changed(change, data, seed), weighting) == pytest.approx(expected, rel=1e-8)


@given(data=labelled)
@few
def test_the_between_trace_grows_with_the_square_of_the_scale(data):
    assert between_trace(3.0 * data.means) == pytest.approx(9.0 * between_trace(data.means), rel=1e-12)


@given(data=labelled)
@few
def test_repeating_one_class_moves_only_what_weighs_by_samples(data):
    again = data.labels == 0
    more = type(data)(
        torch.cat([data.features, data.features[again], data.features[again]]),
        torch.cat([data.labels, data.labels[again], data.labels[again]]),
    )
    assert summary(more, "balanced") == pytest.approx(summary(data, "balanced"), rel=1e-9)
    counts = data.counts.double()
    counts[0] *= 3
    weights = counts / counts.sum()
    within = float(weights @ data.variances)
    between = between_trace(data.means, weights)
    assert summary(more, "sample")[2] == pytest.approx(within / between, rel=1e-10)


@given(data=labelled)
@few
def test_both_weightings_agree_on_balanced_classes(data):
    rows = torch.cat([(data.labels == c).nonzero().squeeze(1)[:2] for c in range(len(data.counts))])
    balanced = type(data)(data.features[rows], data.labels[rows])
    assert summary(balanced, "sample") == pytest.approx(summary(balanced, "balanced"), rel=1e-9)


@pytest.mark.parametrize("offset", [0.1, 1e6 + 0.1])
@pytest.mark.parametrize("classes", [2, 6, 100])
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_coincident_means_are_infinite_with_noise_and_undefined_without(offset, classes, weighting):
    dim = 7
    means = torch.full((classes, dim), offset, dtype=torch.float64)
    weights = class_weights(torch.arange(1, classes + 1), weighting)
    identity, zero = torch.eye(dim).double(), torch.zeros(dim, dim).double()
    assert between_trace(means, weights) == 0.0
    assert between_basis(means, weights).rank == 0
    assert nc1_pinv(identity, means, weights=weights) == math.inf
    assert math.isnan(nc1_pinv(zero, means, weights=weights))
    assert nc1_quotient(1.0, between_trace(means, weights)) == math.inf
    assert math.isnan(nc1_quotient(0.0, between_trace(means, weights)))
    pairs = classes * (classes - 1) // 2
    noisy, still = cdnv(torch.ones(classes), means), cdnv(torch.zeros(classes), means)
    assert noisy == {
        "mean": math.inf,
        "median": math.inf,
        "max": math.inf,
        "infinite": pairs,
        "coincident": 0,
    }
    assert all(math.isnan(still[name]) for name in ("mean", "median", "max"))
    assert still["coincident"] == pairs


def test_one_coincident_pair_without_noise_is_left_out_and_counted():
    means = torch.tensor([[0.0, 0.0], [0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    values = cdnv(torch.tensor([0.0, 0.0, 4.0]), means)
    assert values == {"mean": 0.5, "median": 0.5, "max": 0.5, "infinite": 0, "coincident": 1}


def test_one_coincident_pair_with_noise_is_infinite_but_the_median_need_not_be():
    means = torch.tensor([[0.0, 0.0], [0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    values = cdnv(torch.tensor([1.0, 1.0, 1.0]), means)
    assert values == {"mean": math.inf, "median": 0.25, "max": math.inf, "infinite": 1, "coincident": 0}


@pytest.mark.parametrize("classes", [0, 1])
def test_fewer_than_two_classes_are_undefined(classes):
    means = torch.ones(classes, 3, dtype=torch.float64)
    assert math.isnan(nc1_pinv(torch.eye(3), means))
    values = cdnv(torch.ones(classes), means)
    assert all(math.isnan(values[name]) for name in ("mean", "median", "max"))
    assert values["coincident"] == 0


def test_two_classes_in_one_dimension_have_the_values_done_by_hand():
    means = torch.tensor([[-1.0], [3.0]], dtype=torch.float64)
    variances = torch.tensor([1.0, 2.0], dtype=torch.float64)
    assert between_trace(means) == 4.0  # centre 1, both at distance 2
    assert between_trace(means, torch.tensor([0.25, 0.75])) == pytest.approx(3.0)  # centre 2: 9/4 + 3/4
    assert nc1_pinv(torch.tensor([[1.5]]), means) == pytest.approx(1.5 / 4 / 2)
    assert cdnv(variances, means)["mean"] == pytest.approx(3 / 32)


def test_close_means_far_from_the_origin_keep_their_distance():
    means = torch.tensor([[1e6, 1e6], [1e6 + 2**-10, 1e6]], dtype=torch.float64)
    assert cdnv(torch.ones(2), means)["mean"] == pytest.approx(2**20, rel=1e-12)
    assert between_trace(means) == pytest.approx(2**-22, rel=1e-12)


def test_directions_far_weaker_than_the_first_still_count():
    means = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1e-9], [0.0, -1e-9]], dtype=torch.float64)
    within = torch.diag(torch.tensor([0.0, 1e-18], dtype=torch.float64))
    assert between_basis(means).rank == 2
    assert nc1_pinv(within, means) == pytest.approx(2.0 / 4, rel=1e-6)


def test_many_classes_are_taken_in_tiles_without_changing_the_values(monkeypatch):
    data = random_labelled(3, [2] * 600, 4)
    means, variances = data.means.numpy(), data.variances.numpy()
    squares = ((means[:, None] - means[None]) ** 2).sum(axis=2)
    spread = (variances[:, None] + variances[None]) / 2
    pairs = spread[np.triu_indices(600, 1)] / squares[np.triu_indices(600, 1)]
    values = cdnv(data.variances, data.means)
    assert values["mean"] == pytest.approx(pairs.mean(), rel=1e-10)
    assert values["median"] == pytest.approx(float(np.median(pairs)), rel=1e-10)
    assert values["max"] == pytest.approx(max(pairs), rel=1e-10)
    monkeypatch.setattr(pair_variability, "MEDIAN_MAX_CLASSES", 599)
    assert math.isnan(cdnv(data.variances, data.means)["median"])


def test_a_variance_for_every_mean_is_needed():
    with pytest.raises(ValueError, match="3 class means need as many variances, not"):
        cdnv(torch.ones(4), torch.randn(3, 2))


def test_a_covariance_of_other_features_than_the_means_is_refused():
    for measure in (nc1_pinv, nc1_svd):
        with pytest.raises(ValueError, match=r"2 features need a covariance \(2, 2\), not \(4, 4\)"):
            measure(torch.eye(4), torch.randn(3, 2))


def test_weights_are_not_taken_for_a_global_mean():
    with pytest.raises(ValueError, match="weights of classes go by their name"):
        nc1_pinv(torch.eye(2), torch.randn(3, 2), torch.full((3,), 1 / 3))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_variances_that_are_none_are_refused(bad):
    for measure in (cdnv, cdnv_pairs, traces):
        with pytest.raises(ValueError, match="finite and not negative"):
            measure(torch.tensor([1.0, bad, 1.0]), torch.randn(3, 2))


@given(data=labelled)
@few
def test_forcing_all_directions_changes_nothing_at_full_rank_and_has_no_inverse_below(data):
    within = data.within(class_weights(data.counts, "balanced"))
    full = between_basis(data.means).rank == len(data.means) - 1
    expected = nc1_pinv(within, data.means) if full else math.inf
    assert nc1_svd(within, data.means) == expected


@given(data=labelled)
@few
def test_the_centre_can_be_given(data):
    """About the mean of the samples, balanced otherwise: what the papyan preset means."""
    weights = weights_by("papyan", data.counts)
    within, middle = data.within(weights.pooled), data.features.mean(dim=0)
    basis = between_basis(data.means, weights.between, center=weights.center)
    energies = energies_along(basis, within)
    expected = nc1_from_energies(energies, basis, float(within.trace()), len(data.means))
    assert nc1_pinv(within, data.means, middle) == pytest.approx(expected, rel=1e-9)
    offsets = (data.means - middle).numpy()
    between = offsets.T @ offsets / len(offsets)
    assert expected == pytest.approx(naive.nc1(within.numpy(), between, len(offsets)), rel=1e-6)
    assert nc1_pinv(within, data.means, data.means.mean(dim=0)) == pytest.approx(
        nc1_pinv(within, data.means), rel=1e-10
    )


@pytest.mark.parametrize("weak", [1.0, 1e-4])
def test_more_classes_than_features_have_the_value_of_their_directions(weak):
    """Both where an inverse is formed and where the directions have to be counted."""
    draw = torch.Generator().manual_seed(0)
    means = torch.randn(30, 5, generator=draw, dtype=torch.float64)
    means[:, 4] *= weak
    spread = torch.randn(50, 5, generator=draw, dtype=torch.float64)
    within, basis = spread.T @ spread / 50, between_basis(means)
    assert basis.rank == 5
    expected = nc1_from_energies(energies_along(basis, within), basis, float(within.trace()), 30)
    assert nc1_pinv(within, means) == pytest.approx(expected, rel=1e-10)
    assert nc1_pinv(within, means) == pytest.approx(
        float((within @ torch.linalg.pinv(means.T.cov(correction=0), rtol=1e-14)).trace()) / 30, rel=1e-7
    )
