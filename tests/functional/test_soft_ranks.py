"""Soft ranks of singular values."""

import math

import pytest
import torch
from constructions import few, random_rotation
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    approximate_rank,
    cutoff_rank,
    effective_rank,
    nuclear_frobenius,
    nuclear_rank,
    participation_ratio,
    singular_values,
    stable_rank,
)

SMOOTH = [stable_rank, effective_rank, participation_ratio, nuclear_rank, nuclear_frobenius]
ALL = [*SMOOTH, lambda s: approximate_rank(s, 0.9), lambda s: cutoff_rank(s, 1e-3)]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_an_identity_has_full_rank_in_every_sense(size):
    values = singular_values(3 * torch.eye(size))
    assert values.tolist() == [3.0] * size
    for rank in (stable_rank, effective_rank, participation_ratio, nuclear_rank):
        assert rank(values) == pytest.approx(size, rel=1e-12)
    assert nuclear_frobenius(values) == pytest.approx(math.sqrt(size))
    assert approximate_rank(values, 0.9) == math.ceil(0.9 * size - 1e-9)
    assert cutoff_rank(values, 0.5 / size) == size


def test_rank_one_is_one_in_every_sense():
    values = singular_values(torch.outer(torch.arange(1.0, 5), torch.ones(3)))
    for rank in ALL:
        assert rank(values) == pytest.approx(1.0, rel=1e-6)


@given(seed=st.integers(0, 10_000), rows=st.integers(1, 8), columns=st.integers(1, 8))
@few
def test_every_rank_lies_between_one_and_the_rank(seed, rows, columns):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    values = singular_values(matrix)
    turned = singular_values(5 * random_rotation(rows, seed) @ matrix @ random_rotation(columns, seed + 1))
    for rank in ALL:
        assert 1 - 1e-12 <= rank(values) <= min(rows, columns) + 1e-9
        assert rank(turned) == pytest.approx(rank(values), rel=1e-9)


@given(seed=st.integers(0, 10_000), exponent=st.integers(-6, 6))
@few
def test_no_rank_knows_coordinates_scale_or_which_side_is_which(seed, exponent):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(6, 4, generator=generator, dtype=torch.float64)
    turned = 10.0**exponent * random_rotation(6, seed) @ matrix @ random_rotation(4, seed + 1)
    padded = torch.cat([turned.T, torch.zeros(4, 3)], dim=1)
    for rank in ALL:
        expected = pytest.approx(rank(singular_values(matrix)), rel=1e-9)
        assert rank(singular_values(turned)) == expected
        assert rank(singular_values(padded)) == expected


@given(seed=st.integers(0, 10_000))
@few
def test_ranks_are_those_of_their_definitions(seed):
    matrix = torch.randn(5, 7, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    values = [float(v) ** 0.5 for v in torch.linalg.eigvalsh(matrix @ matrix.T).flip(0)]
    found, total = singular_values(matrix), sum(values)
    assert found.tolist() == pytest.approx(values, rel=1e-9)
    assert stable_rank(found) == pytest.approx(sum(v * v for v in values) / values[0] ** 2)
    entropy = -sum(v / total * math.log(v / total) for v in values)
    assert effective_rank(found) == pytest.approx(math.exp(entropy))
    fourth = sum(v**4 for v in values)
    assert participation_ratio(found) == pytest.approx(sum(v * v for v in values) ** 2 / fourth)
    assert nuclear_rank(found) == pytest.approx(total / values[0])
    assert nuclear_frobenius(found) == pytest.approx(total / math.sqrt(sum(v * v for v in values)))
    assert cutoff_rank(found, 0.2) == sum(v >= 0.2 * total for v in values)
    least = next(n for n in range(1, 6) if sum(values[:n]) >= 0.9 * total)
    assert approximate_rank(found, 0.9) == least


def test_values_done_by_hand():
    values = torch.tensor([3.0, 2.0, 1.0])
    assert stable_rank(values) == pytest.approx(14 / 9)
    assert participation_ratio(values) == pytest.approx(14**2 / 98)
    assert nuclear_rank(values) == pytest.approx(2)
    assert nuclear_frobenius(values) == pytest.approx(6 / math.sqrt(14))
    entropy = -sum(p * math.log(p) for p in (1 / 2, 1 / 3, 1 / 6))
    assert effective_rank(values) == pytest.approx(math.exp(entropy))
    assert [approximate_rank(values, q) for q in (0.5, 0.51, 0.99)] == [1, 2, 3]
    assert [cutoff_rank(values, t) for t in (0.5, 0.3, 0.1, 0.9)] == [1, 2, 3, 0]


@pytest.mark.parametrize("rank", ALL)
def test_a_zero_matrix_has_no_rank(rank):
    assert math.isnan(rank(torch.zeros(4)))
    assert math.isnan(rank(torch.zeros(0)))


def test_huge_and_tiny_values_do_not_overflow():
    for scale in (1e200, 1e-200):
        assert stable_rank(scale * torch.tensor([2.0, 1.0], dtype=torch.float64)) == pytest.approx(1.25)
        assert participation_ratio(scale * torch.ones(3, dtype=torch.float64)) == pytest.approx(3)


def test_what_is_no_matrix_has_no_singular_values():
    with pytest.raises(ValueError, match=r"not of a tensor of \(2, 2, 2\)"):
        singular_values(torch.ones(2, 2, 2))
