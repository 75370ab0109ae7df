"""Taps that see the images themselves: measured once, and the same for every checkpoint."""

import functools

import pytest
import torch
from torch import nn

from layerscope.measurement.coordinates import Coordinates
from layerscope.measurement.forwarding import Batch
from layerscope.measures.base import Need
from layerscope.statistics.class_moments import ClassMoments

from . import tiny_network
from .tiny_network import EVERYTHING, MEANS, SAMPLED, assert_same_rows, rows_from

NOTHING_FITS = 170_000  # bytes: the class means of all layers fit, no split's features do
SKETCHES_FIT = 1_350_000  # the spectra of one layer or a few at a time, no split's features
ONE_BY_ONE = 1_250_000  # these of one layer at a time
PLENTY = 10**9
Bench = functools.partial(tiny_network.Bench, needs=MEANS)


class Checkpoint:
    """A bench whose collector has measured other weights before, or has not."""

    def __init__(self, bench, *, before: Need = Need.NOTHING, needs: Need | None = None):
        self.bench, self.needs = bench, bench.needs if needs is None else needs
        collector = bench.collector(before | self.needs)
        self.first = collector.collect(bench.model, before) if before else None
        with torch.no_grad():
            for parameter in bench.model.parameters():
                parameter.mul_(-1.5).add_(0.1)
        self.statistics = collector.collect(bench.model, self.needs)

    @property
    def rows(self):
        return rows_from(self.statistics, self.needs, without=SAMPLED)


def remembered(checkpoint):
    """Layers whose moments are those of the checkpoint before."""
    pairs = zip(checkpoint.first.layers, checkpoint.statistics.layers, strict=True)
    return [new.layer.name for old, new in pairs if new.splits["test"].moments is old.splits["test"].moments]


@pytest.mark.parametrize(
    ("needs", "memory"),
    [(MEANS, PLENTY), (MEANS, NOTHING_FITS), (EVERYTHING, PLENTY), (EVERYTHING, SKETCHES_FIT)],
    ids=["kept", "read again", "spectra", "sketches"],
)
def test_a_later_checkpoint_has_the_rows_that_it_has_alone(needs, memory):
    later = Checkpoint(Bench(memory=memory, needs=needs), before=needs)
    alone = Checkpoint(Bench(memory=memory, needs=needs))
    assert remembered(later) == ["conv1"]
    assert_same_rows(later.rows, alone.rows, rtol=1e-13)


def test_what_was_not_needed_before_is_found_later():
    later = Checkpoint(Bench(), before=Need.MOMENTS, needs=EVERYTHING)
    assert remembered(later) == ["conv1"]
    assert_same_rows(later.rows, Checkpoint(Bench(), needs=EVERYTHING).rows, rtol=1e-13)


def test_no_sweep_is_made_for_spectra_that_are_known():
    needs = Need.MOMENTS | Need.SPECTRA
    bench = Bench(memory=ONE_BY_ONE, batch_size=1000)
    collector = bench.collector(needs)
    assert collector.plan.groups[0] == (0,)
    passes = []
    for _ in range(3):
        bench.model.passes = 0
        collector.collect(bench.model, needs)
        passes.append(bench.model.passes)
    assert passes == [passes[0], passes[0] - 2, passes[0] - 2]


def test_agreement_with_the_network_is_that_of_the_later_checkpoint():
    later = Checkpoint(Bench(), before=MEANS)
    first, second = (each.layers[0].splits["test"].nearest for each in (later.first, later.statistics))
    assert torch.equal(first.correct, second.correct)
    assert not torch.equal(first.agreeing, second.agreeing)


@pytest.mark.parametrize("reader", [ClassMoments, Coordinates])
def test_images_are_read_once(monkeypatch, reader):
    summed, update = [], reader.update

    def noted(self, *arguments, **options):
        summed.append(self)
        return update(self, *arguments, **options)

    monkeypatch.setattr(reader, "update", noted)
    bench = Bench(batch_size=1000)
    collector, layers = bench.collector(), len(bench.setup().layers)
    counts = []
    for _ in range(3):
        summed.clear()
        collector.collect(bench.model, MEANS)
        counts.append(len(summed))
    assert counts == [2 * layers, 2 * (layers - 1), 2 * (layers - 1)]


def test_reduced_images_are_not_remembered():
    assert remembered(Checkpoint(Bench(reduce_name="mean"), before=MEANS)) == []


def test_a_first_layer_that_is_tapped_behind_it_is_not_remembered():
    assert remembered(Checkpoint(Bench(where="output"), before=MEANS)) == []


class Scaled(nn.Module):
    """Scales the images in their place, by what it has learnt, before the first layer sees them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((1,), 2.0, dtype=torch.float64))
        self.network = network

    def forward(self, images):
        return self.network(images.mul_(self.scale))


def test_images_that_the_network_changes_in_their_place_are_not_remembered():
    checkpoints = []
    for before in (MEANS, Need.NOTHING):
        bench = Bench(spec=("network.conv1", "network.fc2"))
        for name, split in bench.splits.items():  # images that belong to the batch alone
            bench.splits[name] = Copied(split)
        bench.ood = None
        bench.model = Scaled(bench.model)
        checkpoints.append(Checkpoint(bench, before=before))
    later, alone = checkpoints
    assert remembered(later) == []
    assert_same_rows(later.rows, alone.rows, rtol=1e-13)


class Copied:
    """A split whose batches are copies."""

    def __init__(self, split):
        self._split = split

    def __getattr__(self, name):
        return getattr(self._split, name)

    def __len__(self):
        return len(self._split)

    def batches(self, *arguments, **options):
        return ((images.clone(), labels) for images, labels in self._split.batches(*arguments, **options))


@pytest.mark.parametrize(
    ("features", "shown"),
    [
        (lambda x: x.flatten(1), True),
        (lambda x: x.view(4, 8), True),
        (lambda x: x.flatten(1).clone(), False),
        (lambda x: x.flatten(1)[:, :4], False),
        (lambda x: x[:, 0].flatten(1), False),
        (lambda x: x.mul_(1).flatten(1), False),
    ],
    ids=["flat", "viewed", "copied", "cut", "a channel", "changed"],
)
def test_features_are_the_images_when_they_are_all_of_their_memory_unchanged(features, shown):
    images = torch.arange(32.0).view(4, 2, 2, 2)
    batch = Batch.of(images, torch.zeros(4, dtype=torch.int64), 0)
    assert batch.shows(features(images)) is shown


def test_images_without_a_count_of_their_changes_are_never_sure():
    with torch.inference_mode():
        images = torch.zeros(4, 2, 2, 2)
        assert not Batch.of(images, torch.zeros(4, dtype=torch.int64), 0).shows(images.flatten(1))
