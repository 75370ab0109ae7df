"""LAPACK's own routines."""

from __future__ import annotations

import numpy as np
import pytest

from layerscope.functional.lapack import (
    tridiagonal_values,
    tridiagonal_vectors,
    tridiagonalized,
    turn,
)


def second_differences(size: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(size, 2.0), np.full(size - 1, -1.0)


def test_values_and_vectors_of_second_differences_are_the_known_ones() -> None:
    size = 30
    angles = np.arange(1, size + 1) * np.pi / (size + 1)
    values = tridiagonal_values(*second_differences(size))
    np.testing.assert_allclose(values, 2 - 2 * np.cos(angles), atol=1e-14)
    found = tridiagonal_vectors(*second_differences(size), 4, 6)
    for column, angle in zip(found.T, angles[4:6], strict=True):
        expected = np.sin(np.arange(1, size + 1) * angle) * np.sqrt(2 / (size + 1))
        np.testing.assert_allclose(abs(column @ expected), 1, atol=1e-13)


def test_what_goes_in_is_left_as_it_was() -> None:
    diagonal, beside = second_differences(8)
    tridiagonal_values(diagonal, beside)
    tridiagonal_vectors(diagonal, beside, 0, 8)
    np.testing.assert_array_equal(diagonal, 2.0)
    np.testing.assert_array_equal(beside, -1.0)


def test_reflections_give_the_matrix_back() -> None:
    half = np.random.default_rng(0).normal(size=(12, 12))
    matrix = np.asfortranarray(half + half.T)
    before = matrix.copy()
    diagonal, beside, factors = tridiagonalized(matrix)
    turned = np.asfortranarray(np.eye(12))
    turn(matrix, factors, turned)
    inner = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    np.testing.assert_allclose(turned @ inner @ turned.T, before, atol=1e-13)


def test_a_routine_that_fails_says_which_and_how() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="dstemr fails with code"):
        tridiagonal_vectors(*second_differences(4), 2, 6)
