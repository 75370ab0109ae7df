"""The memory that a plan foretells bounds what is allocated, and is not far from it."""

import tracemalloc
from itertools import accumulate
from weakref import WeakSet

import numpy as np
import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from layerscope.features.reduce import reduce_by_name
from layerscope.features.taps import trace_layers
from layerscope.measurement import sweeps
from layerscope.measurement.plan import make_plan
from layerscope.measurement.setup import Setup
from layerscope.measurement.spectra import SketchReader
from layerscope.measurement.sweeps import Collector
from layerscope.measures.base import Need
from layerscope.training.criterion import LOSSES

from .tiny_network import CPU, split_of

CLASSES, SAMPLES, BATCH, SIDE = 6, 1200, 40, 20
COLLAPSE = Need.MOMENTS | Need.SCATTER | Need.NEAREST
SPECTRA = COLLAPSE | Need.SPECTRA
SPEC = ("0", "2", "5")  # 400, 3,200 and 3,200 features


def network():
    convolutions = nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(8 * SIDE**2, CLASSES)).eval()


def peak(work):
    """The most bytes that torch holds at a time in ``work``, and those that numpy holds after it."""
    tracemalloc.start()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        result = work()
    of_numpy = tracemalloc.DomainFilter(inclusive=True, domain=np.lib.tracemalloc_domain)
    kept = tracemalloc.take_snapshot().filter_traces([of_numpy]).statistics("filename")
    tracemalloc.stop()
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = accumulate(event.nbytes() for event in sorted(events, key=lambda event: event.start_ns()))
    return max(held) + sum(each.size for each in kept), result


@pytest.fixture(scope="module")
def world():
    draw = torch.Generator().manual_seed(0)
    model, labels = network(), torch.arange(SAMPLES) % CLASSES
    images = torch.randn(SAMPLES, 1, SIDE, SIDE, generator=draw) + labels.view(-1, 1, 1, 1) / 4
    splits = {"train": split_of("train", images, labels, CLASSES)}
    reduce = reduce_by_name("flatten", 0)
    layers = trace_layers(model, images[:2], SPEC, where="input", reduce=reduce)
    setup = Setup(
        splits,
        layers,
        SPEC,
        "input",
        "flatten",
        reduce,
        LOSSES["celoss"],
        "balanced",
        BATCH,
        torch.float32,
        CPU,
    )

    @torch.inference_mode()
    def forward():
        for some, _ in splits["train"].batches(BATCH):
            model(some)

    return model, setup, peak(forward)[0]


def planned(setup, needs, budget):
    return make_plan(
        setup.layers,
        {"train": SAMPLES},
        CLASSES,
        needs,
        memory_bytes=budget,
        item_bytes=4,
        batch_size=BATCH,
        largest_class=SAMPLES // CLASSES,
    )


@pytest.mark.parametrize(
    ("needs", "megabytes", "kept", "pooled"),
    [
        (COLLAPSE, 60, True, set()),
        (COLLAPSE, 12, False, set()),
        (SPECTRA, 200, True, set()),
        (SPECTRA, 60, False, set()),
        (SPECTRA, 26, False, {1, 2}),
    ],
    ids=["kept", "read again", "spectra of kept features", "sketches", "pooled sketches"],
)
def test_measuring_stays_within_what_was_foretold_and_comes_near_it(world, needs, megabytes, kept, pooled):
    model, setup, forward = world
    budget = megabytes * 10**6
    plan = planned(setup, needs, budget)
    assert (bool(plan.cached), plan.pooled) == (kept, pooled)
    collector = Collector(setup, plan)  # which holds what is kept
    found, _ = peak(lambda: collector.collect(model, needs))
    assert plan.total_bytes <= budget
    assert 0.3 * plan.total_bytes < found - forward <= plan.total_bytes


def test_sketches_are_gone_before_those_of_the_next_layers_are_made(world, monkeypatch):
    alive, counts = WeakSet(), []

    class Counted(SketchReader):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            alive.add(self)
            counts.append(len(alive))

    monkeypatch.setattr(sweeps, "SketchReader", Counted)
    model, setup, _ = world
    plan = planned(setup, SPECTRA, 34 * 10**6)
    assert plan.groups == ((0,), (1,), (2,))
    Collector(setup, plan).collect(model, SPECTRA)
    assert counts == [1, 1, 1]
