"""Eigenvalues of symmetric matrices, by either LAPACK."""

import pytest
import torch

from layerscope.functional.symmetric import SMALL, leading_eigenvectors, stacked_eigenvalues


def symmetric(*shape):
    draws = torch.randn(*shape, shape[-1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return draws + draws.mT


@pytest.mark.parametrize("size", [SMALL - 1, SMALL + 1])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_stacked_matrices_have_the_eigenvalues_that_each_has_alone(size, dtype):
    matrices = symmetric(3, size).to(dtype)
    found = stacked_eigenvalues(matrices)
    assert (found.shape, found.dtype) == ((3, size), dtype)
    tolerance = 1e-11 if dtype == torch.float64 else 1e-4
    for values, matrix in zip(found, matrices, strict=True):
        expected = torch.linalg.eigvalsh(matrix.double())
        torch.testing.assert_close(values.double(), expected, rtol=0, atol=tolerance)
        torch.testing.assert_close(stacked_eigenvalues(matrix), values, rtol=0, atol=tolerance)


@pytest.mark.parametrize("size", [SMALL - 1, SMALL + 1])
def test_leading_eigenvectors_are_those_of_the_largest_eigenvalues(size):
    matrix = symmetric(size)
    vectors = leading_eigenvectors(matrix, 3)
    torch.testing.assert_close(vectors.T @ vectors, torch.eye(3, dtype=torch.float64))
    values = torch.linalg.eigvalsh(matrix)[-3:]
    torch.testing.assert_close(matrix @ vectors, vectors * values, rtol=0, atol=1e-10)
