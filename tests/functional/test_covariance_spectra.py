"""Eigenvalues of covariances: by the matrix, by the rows, by a sketch."""

import math

import numpy as np
import pytest
import torch
from constructions import few, random_rotation, simplex, with_isotropic_noise
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    activation_stable_rank,
    covariance,
    covariance_spectrum,
    largest_eigenvalue,
    row_spectrum,
    sketched_spectrum,
)
from layerscope.functional.covariance import gaussian


def rows_of(seed, count, dim, decay=0.0):
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(count, dim, generator=generator, dtype=torch.float64)
    return rows * torch.arange(1, dim + 1, dtype=torch.float64) ** -decay


@given(seed=st.integers(0, 10_000), count=st.integers(1, 12), dim=st.integers(1, 12))
@few
def test_rows_and_matrix_have_the_same_eigenvalues(seed, count, dim):
    rows = rows_of(seed, count, dim)
    expected = np.linalg.eigvalsh(rows.T.numpy() @ rows.numpy())[::-1][: min(count, dim)]
    found = row_spectrum(rows)
    assert found.values[: min(count, dim)].tolist() == pytest.approx(expected.tolist(), rel=1e-9, abs=1e-11)
    assert found.trace == pytest.approx(float(rows.square().sum()), rel=1e-12)
    assert found.captured == pytest.approx(1.0, rel=1e-12)
    matrix = covariance_spectrum(rows.T @ rows)
    assert matrix.values[: min(count, dim)].tolist() == pytest.approx(
        found.values[: min(count, dim)].tolist(), rel=1e-9, abs=1e-11
    )
    turned = row_spectrum(rows.flip(0) @ random_rotation(dim, seed))
    assert turned.values.tolist() == pytest.approx(found.values.tolist(), rel=1e-9, abs=1e-11)


def test_the_means_of_a_simplex_have_equal_eigenvalues():
    means = simplex(6, 20)
    found = row_spectrum(means / math.sqrt(6))
    assert found.values[:5].tolist() == pytest.approx([1 / 5] * 5, rel=1e-12)
    assert found.relative[:5].tolist() == pytest.approx([1 / 5] * 5, rel=1e-12)
    assert float(found.values[5]) == pytest.approx(0, abs=1e-14)
    assert found.stable_rank == pytest.approx(5)


def test_isotropic_noise_has_one_eigenvalue():
    data = with_isotropic_noise(simplex(3, 4), 0.5)
    rows = (data.features - data.means[data.labels]) / math.sqrt(len(data.labels))
    assert row_spectrum(rows).values.tolist() == pytest.approx([0.25] * 4, rel=1e-12)


@pytest.mark.parametrize("shape", [(3000, 200), (200, 3000)], ids=["many rows", "many features"])
def test_the_range_finder_finds_the_leading_values(monkeypatch, shape):
    monkeypatch.setattr(covariance, "EXACT", 50)
    rows = rows_of(0, *shape, decay=1.0)
    exact, found = row_spectrum(rows), row_spectrum(rows, top=12)
    assert not found.exact
    assert found.values.tolist() == pytest.approx(exact.values[:12].tolist(), rel=1e-2)
    assert found.captured == pytest.approx(float(exact.values[:12].sum()) / exact.trace, rel=1e-3)
    assert torch.equal(row_spectrum(rows, top=12).values, found.values)


def test_a_sketch_of_low_rank_is_exact_and_never_too_large():
    low = rows_of(1, 8, 40)
    test = gaussian(40, 16, 3)
    found = sketched_spectrum(low.T @ (low @ test), test, float(low.square().sum()))
    assert found.values[:8].tolist() == pytest.approx(row_spectrum(low).values[:8].tolist(), rel=1e-8)
    assert found.captured == pytest.approx(1.0, rel=1e-8)
    full = rows_of(2, 100, 40, decay=0.5)
    rough = sketched_spectrum(full.T @ (full @ test), test, float(full.square().sum()))
    assert 0.5 < rough.captured < 1.0
    exact = row_spectrum(full).values[:16]
    assert (rough.values <= exact * (1 + 1e-9)).all()


def test_a_sketch_of_nothing_holds_nothing():
    test = gaussian(5, 3, 0)
    found = sketched_spectrum(torch.zeros(5, 3), test, 0.0)
    assert found.values.tolist() == [0, 0, 0]
    assert math.isnan(found.captured)
    assert math.isnan(found.stable_rank)


@pytest.mark.parametrize("decay", [0.0, 0.3, 2.0])
def test_lanczos_finds_the_largest_eigenvalue(decay):
    rows = rows_of(4, 400, 300, decay)
    assert largest_eigenvalue(rows) == pytest.approx(float(row_spectrum(rows).values[0]), rel=1e-9)


def test_lanczos_survives_rank_one_and_nothing():
    one = torch.outer(torch.ones(300), torch.arange(1.0, 301)).double()
    assert largest_eigenvalue(one) == pytest.approx(float(one.square().sum()), rel=1e-12)
    assert largest_eigenvalue(torch.zeros(300, 300)) == 0.0
    assert largest_eigenvalue(torch.zeros(0, 3)) == 0.0


def test_orthonormal_samples_have_a_stable_rank_of_one_less_than_their_number():
    assert activation_stable_rank(torch.eye(9, 12) + 5) == pytest.approx(8, rel=1e-12)


def test_samples_on_a_line_have_a_stable_rank_of_one():
    line = torch.arange(300.0)[:, None] * torch.ones(1, 280) + 3
    assert activation_stable_rank(line) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("rows", [torch.ones(1, 4), torch.full((7, 4), 0.1)])
def test_samples_that_do_not_vary_have_no_stable_rank(rows):
    assert math.isnan(activation_stable_rank(rows))
