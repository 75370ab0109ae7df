"""What varies within the classes, between them and in total."""

import math

import pytest
import torch
from constructions import CHANGES, changed, few, labelled, simplex, with_isotropic_noise
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import class_weights, traces, within_trace

WEIGHTINGS = ["balanced", "sample"]


def traces_of(data, weighting):
    return traces(data.variances, data.means, class_weights(data.counts, weighting))


@pytest.mark.parametrize(("classes", "dim", "size"), [(5, 16, 0.1), (2, 3, 2.0)])
def test_isotropic_noise_around_a_simplex_of_unit_length(classes, dim, size):
    data = with_isotropic_noise(simplex(classes, dim) + 100, size)
    found = traces(data.variances, data.means)
    assert found == pytest.approx((size**2 * dim, 1.0), rel=1e-10)
    assert found.total == pytest.approx(1 + size**2 * dim, rel=1e-10)
    assert found.relative.between == pytest.approx(1 / (1 + size**2 * dim), rel=1e-10)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@given(data=labelled)
@few
def test_within_and_between_add_up_to_the_trace_of_the_total_covariance(weighting, data):
    shares = (class_weights(data.counts, weighting) / data.counts)[data.labels]
    middle = shares @ data.features
    total = sum(
        float(share) * float(((row - middle) ** 2).sum())
        for share, row in zip(shares, data.features, strict=True)
    )
    found = traces_of(data, weighting)
    assert found.total == pytest.approx(total, rel=1e-10)
    assert sum(found.relative) == pytest.approx(1)
    within = sum(
        float(share) * float(((row - data.means[label]) ** 2).sum())
        for share, row, label in zip(shares, data.features, data.labels, strict=True)
    )
    assert found.within == pytest.approx(within, rel=1e-10)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("weighting", WEIGHTINGS)
@given(data=labelled, seed=st.integers(0, 1000))
@few
def test_only_the_scale_changes_them_and_by_its_square(weighting, change, data, seed):
    factor = 10.0 ** (2 * (seed % 9 - 4)) if change == "scale" else 1.0
    found = traces_of(changed(change, data, seed), weighting)
    expected = traces_of(data, weighting)
    assert found == pytest.approx([factor * value for value in expected], rel=1e-8)
    assert found.relative == pytest.approx(expected.relative, rel=1e-8)


def test_collapse_leaves_nothing_within_and_nothing_at_all_has_no_shares():
    assert traces(torch.zeros(3), torch.eye(3)).relative == (0.0, 1.0)
    nothing = traces(torch.zeros(3), torch.full((3, 2), 0.1))
    assert nothing == (0.0, 0.0)
    assert all(math.isnan(value) for value in nothing.relative)
    assert all(math.isnan(value) for value in traces(torch.zeros(0), torch.zeros(0, 2)))


def test_weights_of_other_classes_are_refused():
    with pytest.raises(ValueError, match="3 class means need as many weights"):
        within_trace(torch.ones(3), torch.full((2,), 0.5))
