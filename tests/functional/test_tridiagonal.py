"""Eigenvalues and a few vectors of symmetric matrices, against whole decompositions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor

from layerscope.functional.tridiagonal import Tridiagonal


def symmetric(size: int, seed: int = 0) -> Tensor:
    matrix = torch.randn(size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return matrix + matrix.T


@pytest.mark.parametrize("size", [2, 3, 17, 200, 1100])
def test_all_values_are_those_of_a_whole_decomposition(size: int) -> None:
    matrix = symmetric(size)
    expected = torch.linalg.eigvalsh(matrix)
    torch.testing.assert_close(Tridiagonal.of(matrix).values, expected, rtol=0, atol=1e-12 * size)


@pytest.mark.parametrize(("first", "last"), [(0, 1), (0, 7), (100, 104), (150, 200), (0, 200)])
def test_the_chosen_vectors_are_orthonormal_and_belong_to_their_values(first: int, last: int) -> None:
    matrix = symmetric(200)
    reduced = Tridiagonal.of(matrix)
    vectors = reduced.vectors(first, last)
    torch.testing.assert_close(matrix @ vectors, vectors * reduced.values[first:last], rtol=0, atol=1e-11)
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(last - first).double(), rtol=0, atol=1e-11)


def test_vectors_can_be_asked_for_again() -> None:
    reduced = Tridiagonal.of(symmetric(50))
    first = reduced.vectors(40, 50)
    reduced.vectors(0, 5)
    assert torch.equal(first, reduced.vectors(40, 50))


def test_no_vectors_can_be_chosen() -> None:
    assert Tridiagonal.of(symmetric(5)).vectors(3, 3).shape == (5, 0)


def test_the_vectors_of_an_equal_value_span_its_space() -> None:
    basis = torch.linalg.qr(symmetric(60))[0]
    matrix = basis[:, :10] @ basis[:, :10].T  # values 0 and 1
    vectors = Tridiagonal.of(matrix).vectors(50, 60)
    torch.testing.assert_close(vectors @ vectors.T, matrix, rtol=0, atol=1e-12)


def test_the_matrix_is_left_as_it_was() -> None:
    matrix = symmetric(20)
    before = matrix.clone()
    Tridiagonal.of(matrix).vectors(0, 3)
    assert torch.equal(matrix, before)


def test_a_matrix_that_is_not_finite_is_refused() -> None:
    matrix = symmetric(4)
    matrix[2, 1] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        Tridiagonal.of(matrix)


def test_several_threads_decompose_side_by_side() -> None:
    matrices = [symmetric(150, seed) for seed in range(16)]

    def leading(matrix: Tensor) -> Tensor:
        return Tridiagonal.of(matrix).vectors(145, 150)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(leading, matrices))
    for matrix, vectors in zip(matrices, found, strict=True):
        assert torch.equal(vectors, leading(matrix))
