"""Spectra of the class covariances, by whichever way the size allows."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import few, samples

from layerscope.functional import covariance as covariance_module
from layerscope.functional import vci, weights_by
from layerscope.statistics import FeatureSample
from layerscope.statistics import class_spectra as module
from layerscope.statistics.class_spectra import class_spectra

WEIGHTINGS = ["balanced", "sample"]


def observed(features, labels, weighting, **options):
    """Spectra, and the class covariances by their definition."""
    present = labels.unique()
    means = torch.stack([features[labels == c].mean(dim=0) for c in present])
    counts = torch.bincount(labels)[present]
    weights = weights_by(weighting, counts)
    covariances = []
    for c, mean in zip(present, means, strict=True):
        rows = features[labels == c] - mean
        covariances.append(rows.T @ rows / len(rows))
    return (
        class_spectra(features, labels, means, weights, **options),
        torch.stack(covariances),
        means,
        weights,
    )


def eigenvalues(matrix):
    return torch.linalg.eigvalsh(matrix).flip(0)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("exact", [1024, 3], ids=["by matrix", "by rows or blocks"])
@given(seed=st.integers(0, 1000))
@few
def test_spectra_are_those_of_the_matrices(weighting, exact, seed):
    features, labels = samples(seed, count=40, dim=5)
    before = module.EXACT
    module.EXACT = exact
    try:
        found, covariances, means, weights = observed(features, labels, weighting, top=5)
    finally:
        module.EXACT = before
    within = torch.einsum("c,cde->de", weights.within, covariances)
    offsets = means - weights.center @ means
    between = (offsets.T * weights.between) @ offsets
    for one, matrix in ((found.within, within), (found.total, within + between)):
        torch.testing.assert_close(one.values[:5], eigenvalues(matrix), rtol=1e-8, atol=1e-9)
        assert one.trace == pytest.approx(float(matrix.trace()), rel=1e-10)
    for one, matrix in zip(found.classes, covariances, strict=True):
        rank = min(5, one.values.numel())
        torch.testing.assert_close(one.values[:rank], eigenvalues(matrix)[:rank], rtol=1e-8, atol=1e-9)
    rank = min(len(means) - 1, 5)
    torch.testing.assert_close(found.between.values[:rank], eigenvalues(between)[:rank], rtol=1e-8, atol=1e-9)
    if exact > 5:
        assert found.vci == pytest.approx(vci(within, means, weights.between), rel=1e-9)
    assert found.rows == 40


def test_few_rows_of_wide_features_are_taken_by_their_gram_matrix(monkeypatch):
    monkeypatch.setattr(module, "EXACT", 60)
    features, labels = samples(3, count=40, dim=100)
    found, covariances, means, weights = observed(features, labels, "sample")
    within = torch.einsum("c,cde->de", weights.within, covariances)
    assert found.within.exact
    torch.testing.assert_close(found.within.values, eigenvalues(within)[:40], rtol=1e-8, atol=1e-9)
    assert found.vci == pytest.approx(vci(within, means, weights.between), rel=1e-6, abs=1e-9)


def test_wide_features_of_many_rows_have_leading_values_and_no_index(monkeypatch):
    monkeypatch.setattr(module, "EXACT", 30)
    monkeypatch.setattr(covariance_module, "EXACT", 30)
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(500, 90, generator=generator, dtype=torch.float64)
    features = features * torch.arange(1, 91, dtype=torch.float64) ** -1.0
    labels = torch.arange(500) % 4
    found, covariances, _, weights = observed(features, labels, "balanced", top=6)
    within = torch.einsum("c,cde->de", weights.within, covariances)
    assert not found.within.exact
    assert found.within.values.tolist() == pytest.approx(eigenvalues(within)[:6].tolist(), rel=1e-2)
    assert found.within.captured < 1
    assert found.within.stable_rank == pytest.approx(float(within.trace() / eigenvalues(within)[0]), rel=1e-3)
    assert math.isnan(found.vci)


def test_a_common_offset_of_a_class_does_no_harm():
    features, labels = samples(5, count=40, dim=5)
    found, *_ = observed(features, labels, "balanced")
    moved, *_ = observed(features + 1e4, labels, "balanced")
    torch.testing.assert_close(moved.within.values, found.within.values, rtol=1e-8, atol=1e-8)


def test_orthonormal_samples_of_a_class_have_the_stable_rank_of_theory():
    features = torch.cat([torch.eye(6, 9), 3 + torch.eye(6, 9)]).double()
    labels = torch.arange(2).repeat_interleave(6)
    found, *_ = observed(features, labels, "balanced")
    assert [one.stable_rank for one in found.classes] == pytest.approx([5, 5], rel=1e-12)


def test_a_class_of_one_sample_has_a_zero_spectrum():
    features, labels = torch.randn(4, 3, dtype=torch.float64), torch.tensor([0, 0, 0, 2])
    found, *_ = observed(features, labels, "balanced")
    assert found.present.tolist() == [0, 2]
    assert found.classes[1].trace == 0.0
    assert math.isnan(found.classes[1].stable_rank)


def test_a_sample_of_the_rows_serves_too():
    features, labels = samples(6, count=80, dim=5)
    sample = FeatureSample(100, 4, 5)
    sample.update(features, labels, torch.arange(80))
    chosen = sample.compute()
    whole, *_ = observed(features, labels, "sample")
    again, *_ = observed(chosen.features.double(), chosen.labels, "sample")
    torch.testing.assert_close(again.within.values, whole.within.values, rtol=1e-9, atol=1e-10)


def test_features_that_are_the_same_everywhere_change_no_other_eigenvalue():
    features, labels = samples(3, count=300, dim=6)
    bordered = torch.zeros(300, 9, dtype=torch.float64)
    bordered[:, [0, 2, 3, 5, 6, 8]] = features
    bordered[:, [1, 7]] = 4.0
    inner, outer = (observed(rows, labels, "sample")[0] for rows in (features, bordered))
    for one, other in zip([*inner.classes, inner.within], [*outer.classes, outer.within], strict=True):
        torch.testing.assert_close(other.values[:6], one.values, rtol=1e-12, atol=1e-12)
        assert len(other.values) == 9
        assert not other.values[6:].any()
    assert outer.vci == pytest.approx(inner.vci, rel=1e-9)


def test_the_total_has_the_directions_of_the_means_beside_those_within_classes(monkeypatch):
    monkeypatch.setattr(module, "EXACT", 50)
    labels = torch.arange(600) % 3
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(600, 90, generator=draw, dtype=torch.float64)
    features *= 0.9 ** torch.arange(90)
    features[:, -3:] += 5.0 * torch.eye(3, dtype=torch.float64)[labels]  # where samples hardly vary
    found, covariances, means, weights = observed(features, labels, "sample", top=8)
    offsets = means - weights.center @ means
    total = torch.einsum("c,cde->de", weights.within, covariances) + (offsets.T * weights.between) @ offsets
    torch.testing.assert_close(found.total.values[:8], eigenvalues(total)[:8], rtol=1e-3, atol=0)
    assert found.total.values[:2].tolist() == pytest.approx(eigenvalues(total)[:2].tolist(), rel=1e-9)
