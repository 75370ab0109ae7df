"""Principal angles between subspaces."""

import math

import collapse_reference as naive
import pytest
import torch
from constructions import few, random_rotation
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import mean_subspace_cosine, subspace_angles

seeds = st.integers(0, 10_000)


@given(seed=seeds, dim=st.integers(3, 10), first=st.integers(1, 3), second=st.integers(1, 3))
@few
def test_cosines_are_those_of_the_projectors(seed, dim, first, second):
    one, two = random_rotation(dim, seed)[:, :first], random_rotation(dim, seed + 1)[:, :second]
    expected = naive.principal_cosines(one.numpy(), two.numpy())
    assert subspace_angles(one, two).tolist() == pytest.approx(expected.tolist(), abs=1e-7)


@given(seed=seeds)
@few
def test_the_mean_cosine_knows_spaces_and_not_bases(seed):
    one, two = random_rotation(8, seed)[:, :3], random_rotation(8, seed + 1)[:, :3]
    expected = mean_subspace_cosine(one, two)
    assert 0.0 <= expected <= 1.0
    assert mean_subspace_cosine(two, one) == pytest.approx(expected, rel=1e-12)
    assert mean_subspace_cosine(one @ random_rotation(3, seed), -two) == pytest.approx(expected, rel=1e-12)
    turn = random_rotation(8, seed + 2)
    assert mean_subspace_cosine(turn @ one, turn @ two) == pytest.approx(expected, rel=1e-12)
    padding = torch.zeros(2, 3, dtype=torch.float64)
    padded = mean_subspace_cosine(torch.cat([one, padding]), torch.cat([two, padding]))
    assert padded == pytest.approx(expected, rel=1e-12)


def test_equal_spaces_give_one_and_orthogonal_spaces_zero():
    basis = random_rotation(6, 5)
    assert mean_subspace_cosine(basis[:, :3], basis[:, [2, 0, 1]]) == pytest.approx(1.0, rel=1e-14)
    assert mean_subspace_cosine(basis[:, :3], basis[:, 3:]) == pytest.approx(0.0, abs=1e-14)
    assert subspace_angles(basis, basis).max() <= 1.0


@pytest.mark.parametrize("angle", [0.1, 1.0, math.pi / 2])
def test_a_plane_tilted_by_an_angle_has_one_and_its_cosine(angle):
    plane = torch.eye(3, 2, dtype=torch.float64)
    tilted = torch.tensor([[1.0, 0.0], [0.0, math.cos(angle)], [0.0, math.sin(angle)]], dtype=torch.float64)
    assert subspace_angles(plane, tilted).tolist() == pytest.approx([1.0, math.cos(angle)], abs=1e-14)
    assert mean_subspace_cosine(plane, tilted) == pytest.approx((1.0 + math.cos(angle)) / 2)


def test_random_spaces_have_a_mean_squared_cosine_of_rank_over_dimension():
    pairs = [(random_rotation(20, s)[:, :5], random_rotation(20, s + 500)[:, :5]) for s in range(40)]
    squares = torch.stack([subspace_angles(one, two).square().mean() for one, two in pairs])
    assert float(squares.mean()) == pytest.approx(5 / 20, abs=0.03)


def test_no_directions_have_no_angle():
    nothing = torch.zeros(4, 0, dtype=torch.float64)
    assert subspace_angles(nothing, nothing).numel() == 0
    assert math.isnan(mean_subspace_cosine(nothing, nothing))


def test_spaces_of_different_dimensions_are_refused():
    with pytest.raises(RuntimeError):
        subspace_angles(torch.eye(4, 2), torch.eye(5, 2))
