"""The accumulators as torchmetrics metrics, alone and over several processes' states."""

import sys

import pytest
import torch

from layerscope.functional import cdnv, etf_error, nc1_pinv
from layerscope.statistics import ClassMoments, Decisions, FeatureSample, NearestCenter

adapters = pytest.importorskip("layerscope.statistics.torchmetrics")


def data(seed=0, count=60):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (count,), generator=generator)
    return torch.randn(count, 5, generator=generator) + labels[:, None], labels


def gather_with(other):
    """What a sync over two processes gives: our tensor and the other's, for every state."""
    names = iter(other._reductions)

    def gather(tensor, group=None):
        return [tensor, getattr(other, next(names))]

    return gather


def joined(first, second):
    """The first metric, which syncs with the second when it is computed."""
    first.dist_sync_fn, first.distributed_available_fn = gather_with(second), lambda: True
    return first


def test_class_moments_are_those_of_the_accumulator():
    features, labels = data()
    metric, moments = adapters.ClassMomentsMetric(4, 5), ClassMoments(4, 5)
    for part in range(0, 60, 20):
        metric.update(features[part : part + 20], labels[part : part + 20])
        moments.update(features[part : part + 20], labels[part : part + 20])
    found = metric.compute()
    assert float(found["cdnv"]) == cdnv(moments.variances, moments.means)["mean"]
    assert float(found["etf_error"]) == etf_error(moments.means)
    assert torch.equal(metric.moments().means, moments.means)
    metric.reset()
    assert metric.moments().samples == 0


def test_two_processes_merge_their_moments():
    features, labels = data()
    parts = []
    for rows in (slice(0, 25), slice(25, 60)):
        metric = adapters.ClassMomentsMetric(4, 5)
        metric.update(features[rows], labels[rows])
        parts.append(metric)
    with joined(*parts).sync_context(dist_sync_fn=parts[0].dist_sync_fn, distributed_available=lambda: True):
        merged = parts[0].moments()
    assert parts[0].moments().samples == 25  # its own part is as it was
    whole = ClassMoments(4, 5)
    whole.update(features, labels)
    assert merged.samples == 60
    torch.testing.assert_close(merged.means, whole.means, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(merged.variances, whole.variances, rtol=1e-5, atol=1e-7)


def test_two_processes_merge_their_counts():
    features, labels = data(1)
    centers, classes = torch.eye(4, 5), torch.arange(4)
    logits = features @ torch.eye(5, 4)
    whole, decided = NearestCenter(centers, classes, 4), Decisions(4)
    decisions = decided.update(logits, labels)
    whole.update(features, labels, decisions)
    nearest, network = [], []
    for rows in (slice(0, 25), slice(25, 60)):
        one = adapters.NearestCenterMetric(centers, classes, 4)
        one.update(features[rows], labels[rows], decisions[rows])
        nearest.append(one)
        other = adapters.DecisionsMetric(4)
        other.update(logits[rows], labels[rows], torch.tensor(0.5))
        network.append(other)
    found = joined(*nearest).compute()
    assert {name: float(value) for name, value in found.items()} == whole.compute()
    found = joined(*network).compute()
    assert float(found["accuracy"]) == decided.accuracy
    assert float(found["loss"]) == 0.5


def test_two_processes_merge_their_other_data():
    features, _ = data(2)
    parts = [adapters.OutOfDistributionMetric(5) for _ in range(2)]
    parts[0].update(features[:10])
    parts[1].update(features[10:])
    torch.testing.assert_close(joined(*parts).compute(), features.double().mean(dim=0))


@pytest.mark.parametrize("options", [{"scatter": True}, {"sketch": 3, "seed": 5}])
def test_options_are_those_of_the_accumulator(options):
    features, labels = data()
    metric, moments = adapters.ClassMomentsMetric(4, 5, **options), ClassMoments(4, 5, **options)
    for part in (slice(0, 40), slice(40, 60)):
        metric.update(features[part], labels[part])
        moments.update(features[part], labels[part])
    if "scatter" in options:
        expected = nc1_pinv(moments.within_covariance, moments.means)
        assert float(metric.compute()["nc1_pinv"]) == pytest.approx(expected, rel=1e-6)
    else:
        found = metric.moments().within_spectrum.values
        torch.testing.assert_close(found, moments.within_spectrum.values)


def test_the_sample_is_that_of_the_accumulator_and_begins_anew_after_a_reset():
    features, labels = data()
    metric, sample = adapters.FeatureSampleMetric(3, 4, 5, seed=7), FeatureSample(3, 4, 5, seed=7)
    places = torch.arange(60)
    for rows in (slice(0, 25), slice(25, 60)):
        metric.update(features[rows], labels[rows], places[rows])
    sample.update(features, labels, places)
    assert all(torch.equal(a, b) for a, b in zip(metric.compute(), sample.compute(), strict=True))
    metric.reset()
    metric.update(features[:5], labels[:5], places[:5])
    assert metric.compute().indices.max() < 5


def test_a_batch_value_is_that_of_the_batch_alone():
    features, labels = data(3)
    metric = adapters.DecisionsMetric(4)
    logits = features @ torch.eye(5, 4)
    metric.update(logits[:30], labels[:30])
    batch = metric(logits[30:], labels[30:])
    alone = Decisions(4)
    alone.update(logits[30:], labels[30:])
    assert float(batch["accuracy"]) == alone.accuracy
    assert float(metric.compute()["samples"]) == 60


def test_without_torchmetrics_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics", None)
    monkeypatch.delitem(sys.modules, "layerscope.statistics.torchmetrics")
    with pytest.raises(ImportError, match=r"pip install 'layerscope\[torchmetrics\]'"):
        __import__("layerscope.statistics.torchmetrics")
