"""Whitening and colouring."""

import pytest
import torch

from layerscope.functional import whitening


def points(samples=200, dim=5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(dim, dim, generator=generator, dtype=torch.float64)
    return torch.randn(samples, dim, generator=generator, dtype=torch.float64) @ mixing + 3


def covariance(values):
    return torch.cov(values.T, correction=0)


@pytest.mark.parametrize("method", ["zca", "pca", "cholesky"])
def test_white_coordinates_have_the_identity_for_covariance_and_colour_brings_the_points_back(method):
    raw = points()
    white = whitening(raw, method)
    assert torch.allclose(covariance(white(raw)), torch.eye(5, dtype=torch.float64), atol=1e-10)
    assert torch.allclose(white(raw).mean(dim=0), torch.zeros(5, dtype=torch.float64), atol=1e-10)
    assert torch.allclose(white.color(white(raw)), raw, atol=1e-10)


def test_zca_is_symmetric_and_pca_goes_by_variance():
    raw = points()
    matrix = whitening(raw, "zca").matrix
    assert torch.allclose(matrix, matrix.T, atol=1e-12)
    scales = torch.linalg.vector_norm(whitening(raw, "pca").inverse, dim=1)
    assert torch.equal(scales, scales.sort(descending=True).values)


def test_directions_without_variance_are_left_out():
    raw = torch.cat([points(), points()[:, :1]], dim=1)
    assert whitening(raw, "pca")(raw).shape == (200, 5)
    assert whitening(raw, "pca", components=2)(raw).shape == (200, 2)
    assert bool(whitening(raw, "zca")(raw).isfinite().all())
    with pytest.raises(ValueError, match="singular"):
        whitening(raw, "cholesky")
    assert bool(whitening(raw, "cholesky", ridge=1e-3)(raw).isfinite().all())


def test_a_ridge_shrinks_white_variances_below_one():
    raw = points()
    variances = covariance(whitening(raw, "pca", ridge=0.1)(raw)).diagonal()
    assert bool((variances < 1).all())


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="'zca', 'pca' or 'cholesky'"):
        whitening(points(), "lda")
    with pytest.raises(ValueError, match="two samples"):
        whitening(points()[:1])
