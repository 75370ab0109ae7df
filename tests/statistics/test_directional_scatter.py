"""Within-class variance along chosen directions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import few, samples, two_pass

from layerscope.functional import between_basis, class_weights, nc1_from_energies, nc1_pinv
from layerscope.statistics import DirectionalScatter


def coordinates_of(features, labels, directions):
    means = torch.zeros(4, features.shape[1], dtype=torch.float64)
    means[labels.unique()] = two_pass(features, labels).means
    return (features - means[labels]) @ directions


@given(seed=st.integers(0, 10_000))
@few
def test_pooled_energies_are_the_diagonal_of_the_covariance_in_those_directions(seed):
    features, labels = samples(seed)
    truth = two_pass(features, labels)
    directions = torch.linalg.qr(samples(seed + 1, count=5, dim=3)[0]).Q  # (5, 3)
    scatter = DirectionalScatter(4, 3)
    scatter.update(coordinates_of(features, labels, directions), labels)
    expected = (directions.T @ truth.within @ directions).diagonal()
    weights = class_weights(truth.counts, "sample")
    assert scatter.pooled(weights).tolist() == pytest.approx(expected.tolist(), rel=1e-11)


@given(seed=st.integers(0, 10_000))
@few
def test_nc1_from_energies_is_nc1_from_the_full_covariance(seed):
    features, labels = samples(seed)
    truth = two_pass(features, labels)
    weights = class_weights(truth.counts, "sample")
    basis = between_basis(truth.means, weights)
    scatter = DirectionalScatter(4, basis.rank)
    scatter.update(coordinates_of(features, labels, basis.directions), labels)
    found = nc1_from_energies(scatter.pooled(weights), basis, float(truth.within.trace()), len(truth.means))
    assert found == pytest.approx(nc1_pinv(truth.within, truth.means, weights=weights), rel=1e-10)


def test_energies_done_by_hand_leave_out_absent_classes():
    scatter = DirectionalScatter(3, 2)
    scatter.update(torch.tensor([[1.0, 0.0], [-1.0, 2.0], [3.0, 1.0]]), torch.tensor([0, 0, 2]))
    assert scatter.energies.tolist() == [[2.0, 4.0], [0.0, 0.0], [9.0, 1.0]]
    assert scatter.counts.tolist() == [2, 0, 1]
    assert scatter.pooled(torch.tensor([0.5, 0.5]).double()).tolist() == [5.0, 1.5]


@given(seed=st.integers(0, 10_000), batch=st.integers(1, 60))
@few
def test_batches_and_merges_add_up_to_one_pass(seed, batch):
    coordinates, labels = samples(seed)
    whole, parts = DirectionalScatter(4, 5), [DirectionalScatter(4, 5), DirectionalScatter(4, 5)]
    whole.update(coordinates, labels)
    for index, start in enumerate(range(0, len(labels), batch)):
        rows = slice(start, start + batch)
        parts[index % 2].update(coordinates[rows], labels[rows])
    merged = parts[1].merge(parts[0])
    assert torch.equal(merged.counts, whole.counts)
    assert torch.allclose(merged.energies, whole.energies, rtol=1e-12)


def test_no_directions_have_no_energy():
    scatter = DirectionalScatter(2, 0)
    scatter.update(torch.zeros(3, 0), torch.tensor([0, 1, 1]))
    assert scatter.pooled(torch.tensor([0.5, 0.5]).double()).numel() == 0


@pytest.mark.parametrize("labels", [[0, 3], [0, -1], [0]], ids=["too large", "negative", "too few"])
def test_a_batch_that_does_not_fit_is_refused(labels):
    with pytest.raises(RuntimeError):
        DirectionalScatter(3, 2).update(torch.zeros(2, 2), torch.tensor(labels))


def test_scatter_along_other_directions_does_not_merge():
    with pytest.raises(ValueError, match=r"\(3, 1\) into \(3, 2\)"):
        DirectionalScatter(3, 2).merge(DirectionalScatter(3, 1))
