"""How the data is read: how often, in which batches, in which order, and what happens when it is bad."""

import functools
from dataclasses import replace

import numpy as np
import pytest
import torch

from layerscope.config.names import MEASURE_GROUPS
from layerscope.errors import MeasurementError
from layerscope.measures.base import Need

from . import tiny_network
from .tiny_network import (
    EMPTY_CLASS,
    FAR_AWAY,
    IMBALANCED,
    MEANS,
    SHAPE,
    assert_same_rows,
    split_of,
)

Bench = functools.partial(tiny_network.Bench, needs=MEANS)
NOTHING_FITS = 170_000  # bytes: the class means of all layers fit, no split's features do
TRAIN_FITS = 310_000


@functools.cache
def rows_of(case):
    """The rows of a case, its features kept."""
    return Bench(case).rows()


def test_the_budgets_are_what_their_names_say():
    assert Bench().collector().plan.cached == {"train", "test"}
    assert Bench(memory=TRAIN_FITS).collector().plan.cached == {"train"}
    assert Bench(memory=NOTHING_FITS).collector().plan.cached == frozenset()


@pytest.mark.parametrize(
    ("case", "memory"), [(IMBALANCED, TRAIN_FITS), (EMPTY_CLASS, NOTHING_FITS), (FAR_AWAY, NOTHING_FITS)]
)
def test_reading_the_data_again_equals_keeping_the_features(case, memory):
    assert_same_rows(Bench(case, memory=memory).rows(), rows_of(case), rtol=1e-12)


def test_reading_the_data_again_equals_keeping_the_features_in_float32():
    kept, read_again = Bench(dtype=torch.float32), Bench(dtype=torch.float32, memory=140_000)
    assert read_again.collector().plan.cached == frozenset()
    assert_same_rows(read_again.rows(), kept.rows(), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize(("case", "batch_size"), [(EMPTY_CLASS, 7), (FAR_AWAY, 1), (FAR_AWAY, 10_000)])
def test_the_batch_size_does_not_matter(case, batch_size):
    rows = Bench(case, batch_size=batch_size).rows()
    assert_same_rows(rows, rows_of(case), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("memory", [10**9, NOTHING_FITS])
def test_the_order_of_the_samples_does_not_matter(memory):
    shuffled = Bench(memory=memory)
    for name, split in shuffled.splits.items():
        order = torch.randperm(len(split), generator=torch.Generator().manual_seed(1))
        shuffled.splits[name] = replace(split, images=split.images[order], labels=split.labels[order])
    assert_same_rows(shuffled.rows(), rows_of(IMBALANCED), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("memory", "sweeps"), [(10**9, {"train": 1, "test": 1}), (TRAIN_FITS, {"train": 1, "test": 2}),
                           (NOTHING_FITS, {"train": 2, "test": 2})]
)  # fmt: skip
def test_a_split_is_forwarded_once_when_its_features_are_kept_and_twice_when_not(memory, sweeps):
    bench = Bench(memory=memory, batch_size=16)
    bench.ood = None
    collector = bench.collector()
    bench.model.passes = 0
    collector.collect(bench.model, MEANS)
    batches = {name: -(-len(split) // 16) for name, split in bench.splits.items()}
    assert bench.model.passes == sum(sweeps[name] * batches[name] for name in batches)


def test_one_sweep_is_enough_when_no_measure_asks_for_the_means():
    bench = Bench(memory=NOTHING_FITS, batch_size=1000)
    collector = bench.collector(Need.MOMENTS)
    bench.model.passes = 0
    collector.collect(bench.model, Need.MOMENTS)
    assert bench.model.passes == 2


def test_spectra_need_no_data_at_all():
    bench = Bench()
    collector = bench.collector()
    bench.model.passes = 0
    statistics = collector.collect(bench.model, Need.SPECTRUM)
    assert bench.model.passes == 0
    assert [entry.spectrum is not None for entry in statistics.layers].count(True) == 4


def test_kept_features_of_one_checkpoint_do_not_leak_into_the_next():
    bench, fresh = Bench(), Bench()
    collector = bench.collector()
    collector.collect(bench.model, MEANS)
    for model in (bench.model, fresh.model):
        with torch.no_grad():
            model.conv1.weight.mul_(-1.5)
    second = collector.collect(bench.model, MEANS)
    expected = fresh.collector().collect(fresh.model, MEANS)
    for entry, other in zip(second.layers, expected.layers, strict=True):
        for name, split in entry.splits.items():
            assert torch.equal(split.scatter.energies, other.splits[name].scatter.energies)
            assert torch.equal(split.nearest.correct, other.splits[name].nearest.correct)


def test_what_is_handed_on_holds_no_memory_of_kept_features():
    """The next checkpoint writes there, and other processes would be sent all of it."""
    bench = Bench()
    statistics = bench.collector().collect(bench.model, MEANS)
    for entry in statistics.layers:
        with pytest.raises(ValueError, match="keep=memory"):
            _ = entry.splits["train"].moments.kept


def test_only_test_data_gives_everything_but_what_is_about_the_train_split():
    part = Bench()
    of_train = ("NCC", "NC5", *MEASURE_GROUPS["Imbalance"])  # means, and sizes of the classes
    del part.splits["train"]
    rows = part.rows()
    assert_same_rows(
        {key: row for key, row in rows.items() if key[0] not in of_train},
        {
            key: row
            for key, row in rows_of(IMBALANCED).items()
            if key[0] not in of_train and key[1] != "train"
        },
        rtol=1e-12,
    )
    nearest = [row for key, row in rows.items() if key[0] == "NCC"]
    assert {row["status"] for row in nearest} == {"skipped"}
    assert len(nearest) == 5 * 7


def test_a_class_that_only_test_has_is_never_the_nearest():
    bench = Bench(replace(EMPTY_CLASS, train=EMPTY_CLASS.test, test=EMPTY_CLASS.train))
    labels = bench.splits["test"].labels
    rows = bench.rows()
    best = 1 - float((labels == 2).double().mean())
    for key, row in rows.items():
        if key[0] == "NCC" and key[1] == "test" and key[3] == (("statistic", "accuracy"),):
            assert row["value"] <= best
            assert row["classes"] == 5


def poisoned(bench, sample, value):
    """The test split of ``bench`` with one pixel replaced."""
    split = bench.splits["test"]
    images = split.images.clone()
    images[sample, 0, 1, 1] = value
    bench.splits["test"] = replace(split, images=images)
    return bench


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_named_by_layer_split_and_samples(value):
    bench = poisoned(Bench(batch_size=5), 13, value)
    with pytest.raises(MeasurementError) as caught:
        bench.statistics()
    assert str(caught.value) == (
        "layer conv1, test split, samples 10 to 14: "
        "1 of 5 samples have features that are not finite (or overflow)"
    )


def test_the_first_layer_that_breaks_is_named():
    bench = Bench(batch_size=8)
    with torch.no_grad():
        bench.model.fc1.bias[2] = float("nan")
    with pytest.raises(MeasurementError, match=r"^layer relu@3, train split, samples 0 to 7: 8 of 8 samples"):
        bench.statistics()


def test_labels_beyond_the_classes_are_named_by_layer_split_and_samples():
    bench = Bench(batch_size=8)
    split = bench.splits["train"]
    bench.splits["train"] = replace(split, labels=torch.where(torch.arange(len(split)) == 9, 7, split.labels))
    with pytest.raises(
        MeasurementError, match=r"conv1, train split, samples 8 to 15: labels must lie in 0 … 4"
    ):
        bench.statistics()


def hooks_of(model):
    return sum(len(m._forward_pre_hooks) + len(m._forward_hooks) for m in model.modules())


def test_hooks_are_gone_after_collecting():
    bench = Bench()
    bench.statistics()
    assert hooks_of(bench.model) == 0


def test_hooks_are_gone_after_bad_features():
    bench = poisoned(Bench(), 0, float("nan"))
    with pytest.raises(MeasurementError):
        bench.statistics()
    assert hooks_of(bench.model) == 0


def test_hooks_are_gone_while_an_error_of_the_loss_is_handled():
    bench = Bench()

    def broken(logits, labels, classes):
        raise ZeroDivisionError

    collector = bench.collector()
    collector.setup = replace(collector.setup, loss=broken)
    with pytest.raises(ZeroDivisionError):  # the traceback, alive here, holds on to every frame
        collector.collect(bench.model, MEANS)
    try:
        collector.collect(bench.model, MEANS)
    except ZeroDivisionError:
        assert hooks_of(bench.model) == 0


def test_the_model_is_left_as_it_was():
    bench = Bench()
    collector = bench.collector()
    bench.model.train()
    bench.model.conv2.eval()  # a part that its owner froze
    flags = [module.training for module in bench.model.modules()]
    before = {name: value.clone() for name, value in bench.model.state_dict().items()}
    collector.collect(bench.model, MEANS)
    assert [module.training for module in bench.model.modules()] == flags
    assert all(torch.equal(value, before[name]) for name, value in bench.model.state_dict().items())


def test_a_model_in_training_mode_is_measured_in_eval_mode():
    bench = Bench()
    bench.model.eval()
    expected = bench.rows()
    bench.model.train()
    assert_same_rows(bench.rows(), expected, rtol=0, atol=0)


def test_no_graph_is_recorded():
    seen = []
    bench = Bench()
    bench.model.fc2.register_forward_hook(lambda module, args, output: seen.append(output.requires_grad))
    bench.statistics()
    assert seen
    assert not any(seen)


def test_images_of_the_splits_stay_as_they_are():
    bench = Bench()
    before = {name: split.images.clone() for name, split in bench.splits.items()}
    bench.statistics()
    assert all(torch.equal(split.images, before[name]) for name, split in bench.splits.items())


def test_ties_are_counted_and_go_to_the_lowest_class():
    images = torch.zeros(6, *SHAPE)
    images[:4, 0, 0, 0] = torch.tensor([-1.0, -1.0, 1.0, 1.0])
    images[4:, 1, 0, 0] = 4.0  # class 2 is far from the others
    labels = torch.tensor([1, 1, 3, 3, 2, 2])
    test = torch.zeros(3, *SHAPE)  # halfway between classes 1 and 3; on class 3; halfway again
    test[1, 0, 0, 0] = 1.0
    bench = Bench(replace(IMBALANCED, train=(0, 2, 2, 2, 0), test=(0, 2, 0, 1, 0)), spec=["conv1"])
    bench.splits = {
        "train": split_of("train", images, labels, 5),
        "test": split_of("test", test, torch.tensor([1, 3, 3]), 5),
    }
    rows = {key[1:]: row for key, row in bench.rows().items() if key[0] == "NCC"}

    def row(split, statistic):
        return rows[split, "conv1", (("statistic", statistic),)]

    assert (row("train", "ties")["value"], row("test", "ties")["value"]) == (0, 2)
    np.testing.assert_allclose(row("test", "accuracy")["value"], 2 / 3)
    np.testing.assert_allclose(row("test", "balanced_accuracy")["value"], 3 / 4)
    assert row("train", "accuracy")["value"] == 1
    assert (row("train", "accuracy")["status"], row("test", "accuracy")["status"]) == ("ok", "degenerate")
