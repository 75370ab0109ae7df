"""Singular values of weights."""

import numpy as np
import pytest
import torch
from constructions import random_rotation

from layerscope.functional import numerical_rank, spectrum


@pytest.mark.parametrize("size", [1, 4, 9])
def test_the_identity_has_equal_shares(size):
    found = spectrum(torch.eye(size))
    assert found.values.tolist() == pytest.approx([1.0] * size, rel=1e-15)
    assert found.relative.tolist() == pytest.approx([1 / size] * size, rel=1e-14)


def test_a_matrix_of_known_singular_values_has_them_in_descending_order():
    values = torch.tensor([0.5, 7.0, 3.0], dtype=torch.float64)
    left, right = random_rotation(5, 1)[:, :3], random_rotation(3, 2)
    found = spectrum(left * values @ right.T)
    assert found.values.tolist() == pytest.approx([7.0, 3.0, 0.5], rel=1e-13)
    assert (right[:, [1, 2, 0]].T @ found.right).abs().diagonal().tolist() == pytest.approx([1.0] * 3)


@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (1, 5), (5, 1)])
def test_spectra_agree_with_numpy_in_float64(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    found = spectrum(matrix)
    expected = np.linalg.svd(matrix.double().numpy(), compute_uv=False)
    assert found.values.dtype == torch.float64
    assert found.values.tolist() == pytest.approx(expected.tolist(), rel=1e-13)
    assert found.right.shape == (shape[1], min(shape))
    stretched = torch.linalg.vector_norm(matrix.double() @ found.right, dim=0)
    assert stretched.tolist() == pytest.approx(found.values.tolist(), rel=1e-12)


def test_relative_values_ignore_scale_and_rotation():
    matrix = torch.randn(6, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    turned = 1e-3 * random_rotation(6, 3) @ matrix @ random_rotation(4, 4)
    assert spectrum(turned).relative.tolist() == pytest.approx(spectrum(matrix).relative.tolist(), rel=1e-12)


def test_a_zero_matrix_has_no_relative_values():
    found = spectrum(torch.zeros(3, 2))
    assert found.values.tolist() == [0.0, 0.0]
    assert found.relative.isnan().all()


def test_rank_counts_the_values_above_rounding():
    values = torch.tensor([1.0, 1e-8, 1e-17], dtype=torch.float64)
    assert numerical_rank(values, (3, 3)) == 2
    assert numerical_rank(torch.zeros(3), (3, 3)) == 0
    assert numerical_rank(torch.zeros(0), (0, 3)) == 0


def test_what_is_no_matrix_is_refused():
    with pytest.raises(ValueError, match=r"not of a tensor of shape \(3,\)"):
        spectrum(torch.ones(3))


def test_a_matrix_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="4 entries of the matrix are not finite"):
        spectrum(torch.full((2, 2), float("nan")))


@pytest.mark.parametrize("shape", [(150, 150), (200, 150), (150, 400)], ids=["square", "tall", "wide"])
@pytest.mark.parametrize("decades", [0.5, 3, 20])
@pytest.mark.parametrize("vectors", [0, 5, 150])
def test_no_more_vectors_than_are_wanted_are_those_of_the_largest_values(shape, decades, vectors):
    matrix = with_values(shape, decades)
    found, everything = spectrum(matrix, vectors=vectors), np.linalg.svd(matrix.numpy(), full_matrices=False)
    assert found.right.shape == (shape[1], vectors)
    torch.testing.assert_close(found.values, torch.from_numpy(everything.S), rtol=0, atol=1e-13)
    torch.testing.assert_close(
        found.right.T @ found.right, torch.eye(vectors, dtype=torch.float64), rtol=0, atol=1e-11
    )
    leading = min(vectors, 5)
    along = (found.right[:, :leading] * torch.from_numpy(everything.Vh.T[:, :leading].copy())).sum(dim=0)
    assert along.abs().tolist() == pytest.approx([1.0] * leading, abs=1e-11)


def test_equal_leading_values_have_orthonormal_vectors():
    values = torch.ones(200, dtype=torch.float64)
    values[50:] = 0.25
    matrix = random_rotation(200, 5) * values @ random_rotation(200, 6).T
    found = spectrum(matrix, vectors=20)
    torch.testing.assert_close(found.right.T @ found.right, torch.eye(20, dtype=torch.float64))
    stretched = torch.linalg.vector_norm(matrix @ found.right, dim=0)
    assert stretched.tolist() == pytest.approx([1.0] * 20, rel=1e-12)


def with_values(shape, decades):
    """A matrix whose singular values fall evenly, on a logarithmic scale, by so many decades."""
    generator = torch.Generator().manual_seed(1)
    left, _ = torch.linalg.qr(torch.randn(shape[0], min(shape), generator=generator, dtype=torch.float64))
    right, _ = torch.linalg.qr(torch.randn(shape[1], min(shape), generator=generator, dtype=torch.float64))
    values = torch.logspace(0, -decades, min(shape), dtype=torch.float64)
    return left * values @ right.T


@pytest.mark.parametrize("shape", [(40, 40), (60, 20), (20, 60)], ids=["square", "tall", "wide"])
@pytest.mark.parametrize("decades", [0.5, 3, 8, 20])
def test_an_ill_conditioned_matrix_is_decomposed_as_a_direct_decomposition_would(shape, decades):
    matrix = with_values(shape, decades)
    found = spectrum(matrix)
    direct = torch.linalg.svdvals(matrix)
    torch.testing.assert_close(found.values, direct, rtol=0, atol=1e-14)
    torch.testing.assert_close(
        found.right.T @ found.right, torch.eye(min(shape), dtype=torch.float64), rtol=0, atol=1e-12
    )
    torch.testing.assert_close((matrix @ found.right).norm(dim=0), found.values, rtol=0, atol=1e-13)
