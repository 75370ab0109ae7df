"""The sample that measures of single features get: the same images in every layer, checkpoint and process."""

import pytest
import torch

from layerscope.errors import MeasurementError
from layerscope.measures.base import Need, each_sample
from layerscope.statistics.feature_sample import even_choice

from .test_sweeps import poisoned
from .tiny_network import BALANCED, EMPTY_CLASS, IMBALANCED, Bench

LABELS = torch.tensor([0] * 30 + [1] * 3 + [3] * 10)

PARTNERED = Need.SAMPLE | Need.PAIRS | Need.PARTNERS


def sampled(bench, needs=Need.SAMPLE):
    return bench.collector(needs).collect(bench.model, needs)


def test_a_sample_is_as_even_over_the_classes_as_can_be():
    counts = torch.bincount(LABELS[even_choice(LABELS, 21, seed=5)]).tolist()
    assert counts == [9, 3, 0, 9]
    assert sorted(torch.bincount(LABELS[even_choice(LABELS, 22, seed=5)]).tolist()) == [0, 3, 9, 10]


def test_a_sample_that_is_larger_than_the_data_is_all_of_it():
    assert even_choice(LABELS, 1000, seed=5).tolist() == list(range(len(LABELS)))


def test_samples_of_other_seeds_are_others():
    chosen = {tuple(even_choice(LABELS, 10, seed).tolist()) for seed in range(20)}
    assert len(chosen) == 20


def test_a_smaller_sample_is_part_of_a_larger_one():
    small, large = (set(even_choice(LABELS, size, seed=1).tolist()) for size in (10, 20))
    assert small < large


@pytest.mark.parametrize("case", [IMBALANCED, EMPTY_CLASS])
def test_samples_hold_the_features_of_the_same_images_in_every_layer(case):
    bench = Bench(case)
    statistics = sampled(bench)
    layers, _ = bench.naive_layers()
    for entry, naive in zip(statistics.layers, layers, strict=True):
        for name, split in entry.splits.items():
            labels, sample = bench.splits[name].labels, split.sample
            assert torch.equal(sample.indices.sort().values, even_choice(labels, 12, seed=11))
            assert torch.equal(sample.labels, labels[sample.indices])
            expected = torch.tensor(naive.features[name])[sample.indices]
            torch.testing.assert_close(sample.features, expected, check_dtype=False, rtol=1e-12, atol=1e-12)


def test_only_the_chosen_images_are_forwarded_when_nothing_asks_for_all():
    bench = Bench(batch_size=1)
    collector, chosen = bench.collector(Need.SAMPLE), sum(min(12, len(s)) for s in bench.splits.values())
    bench.model.passes = 0
    alone = collector.collect(bench.model, Need.SAMPLE)
    assert bench.model.passes == chosen
    assert alone.decisions == alone.decided == {}
    beside = sampled(bench, Need.SAMPLE | Need.DECISIONS)
    for entry, same in zip(alone.layers, beside.layers, strict=True):
        for name in entry.splits:
            torch.testing.assert_close(entry.splits[name].sample, same.splits[name].sample)


def test_partners_are_forwarded_beside_the_chosen_images():
    alone, beside = (sampled(Bench(), needs) for needs in (PARTNERED, PARTNERED | Need.DECISIONS))
    for entry, same in zip(alone.layers, beside.layers, strict=True):
        for kind in ("sample", "partners"):
            one, other = (getattr(each.splits["train"], kind) for each in (entry, same))
            torch.testing.assert_close(one, other)


def test_the_images_of_a_sample_are_at_hand():
    bench = Bench()
    statistics = sampled(bench)
    for name, split in bench.splits.items():
        images = statistics.images[name]
        assert torch.equal(images.indices, statistics.layers[0].splits[name].sample.indices)
        assert torch.equal(images.features, split.images[images.indices].double().flatten(1))


def test_the_batch_size_does_not_change_a_sample():
    one, other = (sampled(Bench(batch_size=size)) for size in (1, 1000))
    for entry, same in zip(one.layers, other.layers, strict=True):
        for name in entry.splits:
            torch.testing.assert_close(entry.splits[name].sample, same.splits[name].sample)


def test_samples_come_with_the_common_columns():
    found = list(each_sample(sampled(Bench(BALANCED))))
    assert [(s.split, s.layer_name) for s, *_ in found][:3] == [
        ("train", "conv1"),
        ("test", "conv1"),
        ("train", "relu@1"),
    ]
    subject, entry, name, sample = found[0]
    assert (subject.samples, subject.classes, subject.dim, subject.where) == (12, 5, 32, "input")
    assert sample is entry.splits[name].sample


def test_the_networks_decision_on_every_sample_is_at_hand():
    bench = Bench()
    statistics = sampled(bench, Need.DECISIONS)
    _, logits = bench.naive_layers()
    for name, split in bench.splits.items():
        assert statistics.decided[name].tolist() == logits[name].argmax(axis=1).tolist()
        assert torch.equal(statistics.labels[name], split.labels)


def test_nothing_is_sampled_unless_it_is_asked_for():
    statistics = sampled(Bench(), Need.MOMENTS)
    assert statistics.images == {}
    assert statistics.layers[0].splits["train"].sample is None


def test_sampled_features_that_are_not_finite_are_named():
    bench = poisoned(Bench(batch_size=5, sample=1000), 13, float("nan"))
    with pytest.raises(MeasurementError, match=r"layer conv1, test split, samples 10 to 14: 1 of 5 samples"):
        sampled(bench)


def test_chosen_samples_that_are_not_finite_are_named_by_the_first_and_the_last_of_their_batch():
    bench = poisoned(Bench(batch_size=1000), 13, float("nan"))
    chosen = even_choice(bench.splits["test"].labels, 12, seed=11)
    bench.splits["test"].images[chosen[3]] = float("nan")
    with pytest.raises(MeasurementError, match=rf"test split, samples {chosen[0]} to {chosen[-1]}: "):
        sampled(bench)
