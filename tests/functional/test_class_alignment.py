"""Principal angles between class means and weights, in both conventions."""

import math

import pytest
import torch
from constructions import few, random_labelled, random_rotation, simplex
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import class_alignment, weight_class_correlation, weight_means_correlation


@pytest.mark.parametrize("classes", [5, 10])
def test_a_self_dual_simplex_is_aligned_in_our_convention_only(classes):
    means = simplex(classes, 30)
    assert class_alignment(means, means + 2) == (pytest.approx(1.0, rel=1e-12), classes - 1)
    value, rank = class_alignment(means, means + 2, convention="inc")
    assert rank == classes
    assert value < 0.999  # the weight's last direction is arbitrary, that of the means their offset


@given(seed=st.integers(0, 10_000))
@few
def test_the_value_knows_no_coordinates(seed):
    means = random_labelled(seed, [1] * 4, 9).features
    weight = random_labelled(seed + 1, [1] * 6, 9).features
    value, rank = class_alignment(weight, means)
    assert (0 <= value <= 1, rank) == (True, 3)
    turn = random_rotation(9, seed)
    assert class_alignment(3 * weight @ turn, means @ turn + 5)[0] == pytest.approx(value, rel=1e-8)


def test_orthogonal_spaces_are_not_aligned():
    means = torch.tensor([[1.0, 0, 0, 0], [-1, 0, 0, 0], [0, 1, 0, 0]])
    weight = torch.tensor([[0.0, 0, 2, 0], [0, 0, 0, 1]])
    assert class_alignment(weight, means) == (pytest.approx(0, abs=1e-14), 2)


def test_more_classes_than_features_in_the_original_convention():
    value, rank = class_alignment(torch.randn(8, 4), torch.randn(8, 4), convention="inc")
    assert (value, rank) == (pytest.approx(4 / 8), 8)


@pytest.mark.parametrize("means", [torch.ones(1, 3), torch.full((4, 3), 0.1), torch.zeros(4, 3)])
def test_means_that_coincide_span_nothing(means):
    value, rank = class_alignment(torch.eye(3), means)
    assert math.isnan(value)
    assert rank == 0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="a weight of 4 features cannot read means of 3"):
        class_alignment(torch.eye(4), torch.eye(3))
    with pytest.raises(ValueError, match="'centered' or 'inc', not 'papyan'"):
        class_alignment(torch.eye(3), torch.eye(3), convention="papyan")
    with pytest.raises(ValueError, match="a weight of 4 features cannot read means of 3"):
        weight_means_correlation(torch.eye(4), torch.eye(3))


def test_correlations_with_a_diagonal_weight_are_the_coordinates():
    weight = torch.diag(torch.tensor([3.0, 2.0, 1.0]))
    means = torch.tensor([[3.0, -4.0, 0.0], [0.0, 0.0, 2.0]])
    found = weight_means_correlation(weight, means, weight_vectors=2)
    expected = torch.tensor([[0.6, 0.0], [0.8, 0.0]]).double()
    torch.testing.assert_close(found.means, expected)
    torch.testing.assert_close(found.vectors, expected)


def test_a_class_that_varies_along_one_coordinate_correlates_with_it():
    weight = torch.diag(torch.tensor([3.0, 2.0, 1.0]))
    rows = 7 + torch.tensor([[0.0, 5.0, 0.1], [0.0, -5.0, 0.1], [0.0, 0.0, -0.2]])
    found = weight_class_correlation(weight, rows, class_vectors=2)
    torch.testing.assert_close(found, torch.eye(3).double()[:, [1, 2]], rtol=0, atol=1e-6)
    with pytest.raises(ValueError, match="4 features cannot read rows of 3"):
        weight_class_correlation(torch.eye(4), rows)


def test_arbitrary_vectors_have_no_correlation():
    found = weight_means_correlation(torch.eye(3), torch.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]))
    assert found.means.isnan().all()  # all singular values of the weight are equal
    weight = torch.diag(torch.tensor([3.0, 2.0, 1.0]))
    found = weight_means_correlation(weight, torch.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]))
    assert not found.vectors[:, 0].isnan().any()
    assert found.vectors[:, 1].isnan().all()  # the means span one direction only


@pytest.mark.parametrize("gap", [1e-1, 1e-3, 1e-5])
def test_rounding_to_float32_turns_singular_vectors_by_its_size_over_their_gap(gap):
    """So cosines from float32 are right to 1e-4 at gaps above 5e-3, and smaller gaps have no such promise."""
    values = torch.tensor([1, 1 - gap, 0.5, 0.4, 0.3, 0.2], dtype=torch.float64)
    weight = torch.diag(values) @ random_rotation(6, 1)
    weight = random_rotation(6, 2) @ weight
    means = random_labelled(3, [1] * 4, 6).features
    exact, rounded = (
        weight_means_correlation(w, means, weight_vectors=2).means for w in (weight, weight.float())
    )
    error = float((exact - rounded).abs().max())
    assert error < 5e-7 / gap
    assert error > 1e-9 / gap, "the rounded weight has other vectors"
    same = weight_means_correlation(weight.float().double(), means, weight_vectors=2).means
    torch.testing.assert_close(rounded, same, rtol=0, atol=1e-14)
