"""Spectra of covariances: from kept features, or by sketches in as many sweeps as the memory asks for."""

import math

import numpy as np
import pytest
import torch

from layerscope.errors import MeasurementError
from layerscope.features.taps import Layer
from layerscope.functional import weights_by
from layerscope.measurement.plan import make_plan
from layerscope.measurement.spectra_memory import BLOCKS
from layerscope.measures.base import Need
from layerscope.statistics import ClassMoments, class_sketches
from layerscope.statistics.class_sketches import ClassSketches, sketch_bytes

from .tiny_network import EMPTY_CLASS, IMBALANCED, Bench, assert_same_rows

ENOUGH, LITTLE = 1_500_000, 1_290_000  # for the sketches of one layer; for pooled ones
NEEDS = Need.MOMENTS | Need.SPECTRA
LAYERS = [Layer("narrow", 0, "narrow", 0, (300,), 300), Layer("wide", 1, "wide", 0, (4000,), 4000)]
SPLITS = {"train": 50_000, "test": 10_000}
STATE = 2 * 10 * 4300 * (4 + 8) + 4000 * 10 * 8 * 6  # references and sums; the means of the wide layer
SCRATCH = 8 * BLOCKS * 4000 * class_sketches.COLUMNS  # to make spectra of its sketches


def plan(memory, classes=10):
    return make_plan(LAYERS, SPLITS, classes, NEEDS, memory_bytes=memory, item_bytes=4)


def without_method(key):
    return (*key[:3], tuple(each for each in key[3] if each[0] != "method"))


def spectra_rows(case, **settings):
    bench = Bench(case, needs=NEEDS, **settings)
    return bench, bench.rows()


@pytest.mark.parametrize("case", [IMBALANCED, EMPTY_CLASS])
def test_sketches_of_narrow_layers_equal_kept_features(case):
    """Up to 74 features everything is exact, and the pooled covariance up to 1024."""
    _, kept = spectra_rows(case)
    bench, read_again = spectra_rows(case, memory=ENOUGH)
    assert bench.collector().plan.cached < {"train", "test"}
    assert bench.collector().plan.pooled == frozenset()
    exact = {key for key, row in read_again.items() if row["status"] != "degenerate"}
    sketched = {key[2] for key in kept.keys() - exact if key[0] != "VCI"}
    assert sketched == {"relu@1", "conv2", "relu@2"}  # 96 features
    assert {without_method(key) for key in kept} == {without_method(key) for key in read_again}
    estimates = [(key[2], row) for key, row in read_again.items() if row.get("method") == "sketch"]
    assert {layer for layer, _ in estimates} == {"relu@1", "conv2", "relu@2"}
    assert "ok" not in {row["status"] for _, row in estimates}
    assert {row.get("method") for row in kept.values()} == {"exact", None}
    for key in exact:
        np.testing.assert_allclose(
            read_again[key]["value"], kept[key]["value"], rtol=1e-8, atol=1e-12, err_msg=str(key)
        )


def test_a_layer_too_wide_for_sketches_of_its_classes_keeps_the_pooled_ones():
    bench, rows = spectra_rows(IMBALANCED, memory=LITTLE, batch_size=7)
    assert bench.collector().plan.pooled == {1, 2, 3}  # 96 features
    kinds = {key[2]: set() for key in rows}
    for key in rows:
        kinds[key[2]].add(dict(key[3]).get("kind"))
    assert "within_single" in kinds["fc1"]
    assert "within" in kinds["relu@1"]
    skipped = [key for key, row in rows.items() if row["status"] == "skipped"]
    assert {(key[0], key[2]) for key in skipped} == {
        (measure, layer)
        for measure in ("ActivationCovSVs", "ActivationStableRank")
        for layer in ("relu@1", "conv2", "relu@2")
    }


def test_sketched_classes_have_the_leading_values_and_the_exact_trace():
    draw = torch.Generator().manual_seed(0)
    scales = torch.arange(1, 1201, dtype=torch.float64) ** -1.5
    features = torch.randn(900, 1200, generator=draw, dtype=torch.float64) * scales
    labels = torch.arange(900) % 3
    moments = ClassMoments(3, 1200, dtype=torch.float64)
    moments.update(features, labels)
    weights = weights_by("balanced", moments.counts)
    parts = [ClassSketches(weights.pooled / moments.counts, 1200) for _ in range(2)]
    offsets = features - moments.means[labels]
    for part, rows in zip(parts, (slice(0, 500), slice(500, 900)), strict=True):
        part.update(offsets[rows], labels[rows])
    found = parts[0].merge(parts[1]).spectra(moments, weights)
    assert [len(one.values) for one in found.classes] == [class_sketches.TOP] * 3
    pairs = [*zip(found.classes, range(3), strict=True)]
    for one, label in pairs:
        rows = offsets[labels == label]
        truth = torch.linalg.svdvals(rows).square() / len(rows)
        assert one.trace == pytest.approx(float(truth.sum()), rel=1e-10)
        assert one.values[:5].tolist() == pytest.approx(truth[:5].tolist(), rel=1e-2)
        assert not one.exact
        assert one.captured < 1
    truth = torch.linalg.svdvals(offsets).square() / 900
    assert found.within.values[:5].tolist() == pytest.approx(truth[:5].tolist(), rel=1e-2)
    assert math.isnan(found.vci)


def test_sketches_of_other_seeds_are_not_merged():
    one, other = (ClassSketches(torch.ones(2), 100, seed=seed) for seed in (0, 1))
    with pytest.raises(ValueError, match="other sizes or seeds"):
        one.merge(other)


def test_nothing_is_classes_by_features_by_features():
    sketches = ClassSketches(torch.ones(50), 800)
    held = sum(part.numel() for part in sketches.state_dict().values() if part is not None)
    assert held == 50 * 800 * class_sketches.COLUMNS + 800 * 800
    assert sketch_bytes(50, 800, 4, by_class=True) >= 8 * held


def test_kept_features_leave_room_for_the_spectra():
    roomy = plan(16 * 10**9)
    assert roomy.cached == {"train", "test"}
    assert roomy.groups == ()
    assert roomy.state_bytes + roomy.cache_bytes + roomy.working_bytes <= 16 * 10**9


def test_layers_are_sketched_in_as_few_sweeps_as_the_memory_allows():
    wide, narrow = (sketch_bytes(10, dim, 4, by_class=True) for dim in (4000, 300))
    enough = STATE + wide + narrow + SCRATCH
    assert plan(enough).groups == ((0, 1),)
    assert plan(enough - 1).groups == ((0,), (1,))
    both = plan(enough - 1)
    assert both.second_sweeps == 2
    assert both.state_bytes + both.cache_bytes + both.working_bytes <= enough - 1


def test_classes_are_left_out_where_only_the_pooled_sketch_fits():
    small = plan(STATE + sketch_bytes(10, 4000, 4, by_class=True) + SCRATCH - 1)
    assert small.pooled == {1}


def test_spectra_that_do_not_fit_are_refused_with_the_numbers():
    with pytest.raises(
        MeasurementError, match=r"spectra of layer wide with 4000 features need 22.74 MiB"
    ) as caught:
        plan(STATE + sketch_bytes(10, 4000, 4, by_class=False) + SCRATCH - 1)
    assert "VCI" in str(caught.value)


def test_the_model_is_forwarded_once_for_each_group_of_layers():
    bench, _ = spectra_rows(IMBALANCED, memory=LITTLE, batch_size=1000)
    collector = bench.collector()
    bench.model.passes = 0
    collector.collect(bench.model, NEEDS)
    split_passes = [
        1 if name in collector.plan.cached else 1 + collector.plan.second_sweeps for name in bench.splits
    ]
    assert bench.model.passes == sum(split_passes)
    assert collector.plan.second_sweeps > 1


@pytest.mark.parametrize("memory", [10**9, ENOUGH])
def test_the_order_and_the_batches_do_not_matter(memory):
    _, rows = spectra_rows(IMBALANCED, memory=memory)
    _, other = spectra_rows(IMBALANCED, memory=memory, batch_size=7)
    assert_same_rows(other, rows, rtol=1e-7, atol=1e-10)
