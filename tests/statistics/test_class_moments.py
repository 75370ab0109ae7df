"""Class moments: one pass, any batches, any merges."""

import math
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from moments_reference import assert_agree, few, samples, two_pass

from layerscope.statistics import ClassMoments, waiting_rows
from layerscope.statistics.label_groups import label_groups

CLASSES, DIM = 4, 5
seeds = st.integers(0, 10_000)


def accumulate(features, labels, sizes=None, classes=CLASSES, **options):
    options = {"scatter": True, "dtype": features.dtype} | options
    moments = ClassMoments(classes, features.shape[1], **options)
    sizes = [len(labels)] if sizes is None else sizes
    for rows, names in zip(features.split(sizes), labels.split(sizes), strict=True):
        moments.update(rows, names)
    return moments


def random_sizes(total, rng):
    """Batch sizes, zero allowed, that sum to ``total``."""
    cuts = sorted(rng.choices(range(total + 1), k=rng.randrange(12)))
    return [stop - start for start, stop in zip([0, *cuts], [*cuts, total], strict=True)]


def state_of(moments):
    return {name: None if value is None else value.clone() for name, value in moments.state_dict().items()}


def assert_same_state(first, second):
    for name, value in first.items():
        other = second[name]
        assert (value is None) == (other is None), name
        if value is not None:
            assert value.dtype == other.dtype, name
            assert torch.equal(value, other), name


@given(seed=seeds, dim=st.integers(1, 8), classes=st.integers(1, 6))
@few
def test_moments_are_those_of_two_passes(seed, dim, classes):
    features, labels = samples(seed, classes=classes, dim=dim)
    assert_agree(accumulate(features, labels, classes=classes), two_pass(features, labels), 1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e4])
@given(seed=seeds)
@few
def test_any_split_into_batches_gives_the_same_moments(offset, seed):
    features, labels = samples(seed, offset=offset)
    sizes = random_sizes(len(labels), random.Random(seed))
    assert_agree(accumulate(features, labels, sizes), two_pass(features, labels), 1e-10)


@pytest.mark.parametrize("offset", [0.0, 1e4])
@given(seed=seeds)
@few
def test_any_tree_of_merges_gives_the_same_moments(offset, seed):
    rng = random.Random(seed)
    features, labels = samples(seed, offset=offset)
    sizes = random_sizes(len(labels), rng)
    parts = [accumulate(*part) for part in zip(features.split(sizes), labels.split(sizes), strict=True)]
    while len(parts) > 1:
        first = parts.pop(rng.randrange(len(parts)))
        second = parts.pop(rng.randrange(len(parts)))
        parts.insert(rng.randrange(len(parts) + 1), first.merge(second))
    assert_agree(parts[0], two_pass(features, labels), 1e-10)


@given(seed=seeds)
@few
def test_the_order_of_the_samples_does_not_matter(seed):
    features, labels = samples(seed)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    moments = accumulate(features[order], labels[order], 7)
    assert_agree(moments, two_pass(features, labels), 1e-10)


def test_one_sample_at_a_time_gives_the_same_moments():
    features, labels = samples(1, count=300)
    assert_agree(accumulate(features, labels, 1), two_pass(features, labels), 1e-10)


def test_samples_sorted_by_class_give_the_same_moments():
    features, labels = samples(2)
    order = labels.argsort()
    assert_agree(accumulate(features[order], labels[order], 6), two_pass(features, labels), 1e-10)


@pytest.mark.parametrize("batch", [3, 200])
def test_more_classes_than_samples_in_a_batch_give_the_same_moments(batch):
    features, labels = samples(3, count=200, classes=50)
    moments = accumulate(features, labels, batch, classes=50)
    assert_agree(moments, two_pass(features, labels), 1e-10)


def test_labels_that_were_grouped_before_change_nothing():
    features, labels = samples(15)
    moments, other = (ClassMoments(CLASSES, DIM, dtype=features.dtype) for _ in range(2))
    for rows, names in zip(features.split(7), labels.split(7), strict=True):
        moments.update(rows, names)
        other.update(rows, names, groups=label_groups(names, len(names), CLASSES))
    assert_same_state(state_of(moments), state_of(other))


def test_repeating_every_sample_changes_no_biased_moment():
    features, labels = samples(4)
    moments = accumulate(features.repeat(3, 1), labels.repeat(3), 11)
    once = accumulate(features, labels, 7)
    assert torch.equal(moments.counts, 3 * once.counts)
    assert torch.allclose(moments.means, once.means, rtol=1e-12)
    assert torch.allclose(moments.variances, once.variances, rtol=1e-12)
    assert torch.allclose(moments.within_covariance, once.within_covariance, rtol=1e-10, atol=1e-12)


def test_a_common_shift_moves_the_means_alone():
    features, labels = samples(5)
    shift = torch.arange(5.0, dtype=torch.float64)
    moved, still = accumulate(features + shift, labels, 7), accumulate(features, labels, 7)
    assert torch.allclose(moved.means, still.means + shift, rtol=1e-12)
    assert torch.allclose(moved.variances, still.variances, rtol=1e-11)
    assert torch.allclose(moved.within_covariance, still.within_covariance, rtol=1e-10, atol=1e-12)


def test_names_of_classes_only_permute_the_moments():
    features, labels = samples(6)
    names = torch.tensor([2, 0, 3, 1])
    moments, renamed = accumulate(features, labels, 7), accumulate(features, names[labels], 7)
    assert torch.equal(renamed.counts[names], moments.counts)
    assert torch.allclose(renamed.means[names], moments.means)
    assert torch.allclose(renamed.within_covariance, moments.within_covariance)


def test_float32_far_from_the_origin_agrees_with_float64():
    features, labels = samples(7, count=400, offset=1e4)
    narrow = accumulate(features.float(), labels, 32)
    assert_agree(narrow, two_pass(features, labels), 1e-4)
    assert_agree(narrow, two_pass(features.float(), labels), 1e-5, scale=1.0)


@pytest.mark.parametrize("batch", [1, 50, 1000])
def test_a_spread_at_the_grid_of_float32_survives_an_offset_of_a_million(batch):
    generator = torch.Generator().manual_seed(0)
    noise = 1e-2 * torch.randn(1000, 8, generator=generator, dtype=torch.float64)
    rounded = (1e6 + 1 / 32 + noise).float()  # 1e6 + 1/32 lies half-way between two float32 numbers
    labels = torch.arange(1000) % 2
    truth = two_pass(rounded, labels)
    assert truth.variances.min() > 0
    moments = accumulate(rounded, labels, batch, classes=2)
    assert torch.allclose(moments.variances, truth.variances, rtol=1e-3, atol=0)
    assert torch.allclose(
        moments.within_covariance, truth.within, rtol=0, atol=1e-3 * float(truth.within.trace())
    )


@pytest.mark.parametrize(("dtype", "rel"), [(torch.float64, 1e-10), (torch.float32, 1e-3)])
@pytest.mark.parametrize("size", [1e2, 1e3])
def test_an_outlier_that_comes_first_does_not_spoil_the_moments(dtype, rel, size):
    """The reference then lies far off; float32 offsets keep n·ε of its squared distance, about 2e-4 here."""
    features, labels = samples(8, count=2000, classes=1)
    features[0] = size
    features = features.to(dtype)
    moments = accumulate(features, labels, [1, 999, 1000], classes=1)
    assert_agree(moments, two_pass(features, labels), rel)


def test_the_state_of_narrow_features_is_float64():
    moments = accumulate(torch.randn(6, 5), torch.arange(6) % 4)
    values = [moments.means, moments.variances, moments.within_covariance, moments.sample_mean]
    assert {value.dtype for value in values} == {torch.float64}


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_features_are_summed_in_float32(dtype):
    features, labels = samples(9, offset=8.0)
    features = features.to(dtype)
    moments = accumulate(features, labels, 7, dtype=torch.float32)
    assert moments.reference.dtype == torch.float32
    assert_agree(moments, two_pass(features, labels), 1e-5)


def test_float64_features_widen_a_float32_accumulator_half_way():
    features, labels = samples(10)
    moments = ClassMoments(CLASSES, DIM, scatter=True)
    moments.update(features[:20].float(), labels[:20])
    moments.update(features[20:], labels[20:])
    assert moments.reference.dtype == torch.float64
    mixed = torch.cat([features[:20].float().double(), features[20:]])
    assert_agree(moments, two_pass(mixed, labels), 1e-6)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64])
@pytest.mark.parametrize("count", [4, 60])
def test_labels_may_be_of_any_integer_type(dtype, count):
    features, labels = samples(11, count=count)
    moments = accumulate(features, labels.to(dtype))
    assert_agree(moments, two_pass(features, labels), 1e-12)
    expected = features - moments.reference[labels]
    assert torch.equal(moments.offsets(features, labels.to(dtype)), expected)


def test_a_class_without_samples_is_left_out():
    features, labels = samples(12)
    labels = labels * 2  # classes 1, 3, 5 never occur
    moments = accumulate(features, labels, 9, classes=7)
    assert moments.present.tolist() == [0, 2, 4, 6]
    assert_agree(moments, two_pass(features, labels), 1e-12)
    assert moments.global_mean.tolist() == pytest.approx(moments.means.mean(dim=0).tolist())
    assert moments.weights("balanced").tolist() == [0.25] * 4


def test_a_class_with_one_sample_has_variance_exactly_zero_and_counts():
    features = torch.tensor([[0.1, 0.2], [1.1, 0.3], [0.7, 0.9]], dtype=torch.float64)
    moments = accumulate(features, torch.tensor([0, 1, 1]), 1, classes=2)
    assert moments.variances[0] == 0.0
    assert moments.means[0].tolist() == [0.1, 0.2]
    assert moments.variances[1] == pytest.approx((0.4**2 + 0.6**2) / 4)
    assert moments.samples == 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("dim", [1, 6, 512])
@pytest.mark.parametrize("batch", [13, 1000])
def test_features_that_never_change_have_no_variance_and_equal_means(dtype, dim, batch):
    value = torch.randn(1, dim, generator=torch.Generator().manual_seed(dim), dtype=torch.float64) + 0.1
    labels = torch.arange(5).repeat_interleave(torch.tensor([50, 51, 52, 53, 1]))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(1))]
    moments = accumulate(value.to(dtype).expand(len(labels), dim).contiguous(), labels, batch, classes=5)
    assert moments.variances.tolist() == [0.0] * 5
    assert (moments.means == moments.means[0]).all()


def test_features_of_zeros_have_moments_of_zero():
    moments = accumulate(torch.zeros(8, 3), torch.arange(8) % 4)
    assert not moments.means.any()
    assert not moments.variances.any()
    assert not moments.within_covariance.any()


def test_both_means_and_weights_are_those_done_by_hand():
    features = torch.tensor([[0.0], [2.0], [4.0], [10.0]])
    moments = accumulate(features, torch.tensor([0, 0, 0, 1]), classes=2)
    assert moments.means.tolist() == [[2.0], [10.0]]
    assert moments.variances.tolist() == pytest.approx([8 / 3, 0.0])
    assert moments.within_covariance.tolist() == [[2.0]]  # 8 / 4
    assert moments.global_mean.tolist() == [6.0]
    assert moments.sample_mean.tolist() == [4.0]
    assert moments.weights("sample").tolist() == [0.75, 0.25]


def test_nothing_seen_means_nothing_present():
    moments = ClassMoments(CLASSES, DIM)
    moments.update(torch.zeros(0, DIM), torch.zeros(0, dtype=torch.int64))
    assert moments.samples == 0
    assert moments.means.shape == (0, DIM)
    assert moments.variances.shape == (0,)


@pytest.mark.parametrize("enough", [1, 2**10])
def test_offsets_that_are_kept_rebuild_the_features(monkeypatch, enough):
    monkeypatch.setattr(waiting_rows, "ENOUGH", enough)
    features, labels = samples(13)
    memory = torch.empty_like(features)
    moments = ClassMoments(CLASSES, DIM, dtype=torch.float64, keep=memory)
    assert len(moments.kept) == 0
    for start in range(0, len(labels), 20):
        moments.update(features[start : start + 20], labels[start : start + 20])
    assert moments.kept.data_ptr() == memory.data_ptr()
    assert torch.allclose(moments.kept + moments.reference[labels], features, rtol=1e-14)
    before = state_of(moments)
    assert torch.equal(moments.offsets(features, labels), memory)
    assert_same_state(before, state_of(moments))
    assert_agree(moments, two_pass(features, labels), 1e-12)


@pytest.mark.parametrize("options", [{}, {"scatter": True}, {"sketch": 2}])
def test_keeping_offsets_changes_no_result(options):
    features, labels = (part.repeat(3, 1) if part.ndim == 2 else part.repeat(3) for part in samples(19))
    features = torch.cat([1e6 * features[:1], features[1:]]).float()  # the first sample is an outlier
    plain, keeping = (
        ClassMoments(CLASSES, DIM, **options, **keep)
        for keep in ({}, {"keep": torch.empty(len(labels), DIM)})
    )
    for moments in (plain, keeping):
        for rows, names in zip(features.split(7), labels.split(7), strict=True):
            moments.update(rows, names)
    assert torch.equal(keeping.kept, plain.offsets(features, labels))
    for name, value in state_of(plain).items():
        if value is not None:
            torch.testing.assert_close(state_of(keeping)[name], value, rtol=1e-5, atol=1e-5, msg=name)


def test_more_samples_than_offsets_can_be_kept_of_are_refused():
    features, labels = samples(20)
    moments = ClassMoments(CLASSES, DIM, dtype=torch.float64, keep=torch.empty_like(features[:30]))
    moments.update(features[:20], labels[:20])
    before = state_of(moments)
    with pytest.raises(
        ValueError, match="offsets of 30 samples can be kept: there is no room for 20 beside 20"
    ):
        moments.update(features[20:40], labels[20:40])
    assert_same_state(before, state_of(moments))
    moments.update(features[20:30], labels[20:30])
    assert len(moments.kept) == 30


def test_a_batch_that_is_refused_is_not_kept():
    features, labels = samples(21)
    moments = ClassMoments(CLASSES, DIM, dtype=torch.float64, keep=torch.empty_like(features))
    with pytest.raises(ValueError, match="not finite"):
        moments.update(torch.full_like(features[:5], math.nan), labels[:5])
    assert len(moments.kept) == 0
    moments.update(features, labels)
    assert torch.equal(moments.kept, moments.offsets(features, labels))


def test_nothing_is_kept_unless_it_is_asked_for():
    with pytest.raises(ValueError, match="keep=memory"):
        _ = ClassMoments(CLASSES, DIM, scatter=True).kept


@pytest.mark.parametrize("options", [{}, {"scatter": True}])
def test_labels_and_features_may_be_overwritten_after_they_were_added(options):
    features, labels = samples(22)
    moments = ClassMoments(CLASSES, DIM, dtype=torch.float64, **options)
    rows, names = features.clone(), labels.clone()
    moments.update(rows, names)
    rows.zero_()
    names.zero_()
    assert_agree(moments, two_pass(features, labels), 1e-12)


@given(seed=seeds)
@few
def test_accumulators_of_disjoint_classes_merge_into_all_classes(seed):
    features, labels = samples(seed)
    low, high = labels < 2, labels >= 2
    for first, second in ((low, high), (high, low)):
        merged = accumulate(features[first], labels[first], 5).merge(
            accumulate(features[second], labels[second], 5)
        )
        assert_agree(merged, two_pass(features, labels), 1e-12)


def test_merging_with_an_empty_accumulator_changes_nothing():
    features, labels = samples(14)
    moments = accumulate(features, labels)
    before = state_of(moments)
    assert_same_state(before, state_of(moments.merge(accumulate(features[:0], labels[:0]))))
    assert_agree(accumulate(features[:0], labels[:0]).merge(moments), two_pass(features, labels), 1e-12)


def test_merging_leaves_the_other_accumulator_alone():
    features, labels = samples(15)
    first, second = accumulate(features[:30], labels[:30]), accumulate(features[30:], labels[30:])
    before = state_of(second)
    first.merge(second).update(features, labels)
    assert_same_state(before, state_of(second))


def test_merging_different_precisions_keeps_the_wider():
    features, labels = samples(16)
    narrow, wide = accumulate(features[:30].float(), labels[:30]), accumulate(features[30:], labels[30:])
    assert_agree(narrow.merge(wide), two_pass(features, labels), 1e-6)
    assert narrow.reference.dtype == torch.float64


def test_a_loaded_state_continues_with_the_same_bits_and_on_its_own():
    features, labels = samples(17)
    straight = accumulate(features, labels, 20)
    first = accumulate(features[:20], labels[:20])
    saved = first.state_dict()
    second = ClassMoments(1, 1, scatter=True)
    second.load_state_dict(saved)
    for start in (20, 40):
        second.update(features[start : start + 20], labels[start : start + 20])
    assert_same_state(state_of(straight), state_of(second))
    assert (second.num_classes, second.dim) == (CLASSES, DIM)
    assert_same_state(saved, state_of(accumulate(features[:20], labels[:20])))
    assert_same_state(saved, state_of(first))


@pytest.mark.parametrize("scatter", [False, True])
def test_a_state_survives_a_file(tmp_path, scatter):
    features, labels = samples(18)
    moments = accumulate(features, labels, scatter=scatter)
    torch.save(moments.state_dict(), tmp_path / "moments.pt")
    other = ClassMoments(CLASSES, DIM)
    other.load_state_dict(torch.load(tmp_path / "moments.pt", weights_only=True))
    assert_same_state(state_of(moments), state_of(other))


def test_weights_of_samples_are_part_of_the_state():
    features, labels = samples(19)
    weighed = ClassMoments(CLASSES, DIM, scatter=True, sample_weights=torch.arange(1.0, CLASSES + 1))
    weighed.update(features, labels)
    other = ClassMoments(CLASSES, DIM, scatter=True)
    other.load_state_dict(weighed.state_dict())
    assert torch.equal(other.within_covariance, weighed.within_covariance)
    assert other.merge(weighed).samples == 2 * len(labels)


GOOD = torch.zeros(3, DIM)
BAD_BATCHES = {
    "features of another width": (torch.zeros(3, DIM + 1), [0, 1, 2], r"must be \(batch, 5\), not \(3, 6\)"),
    "features that are no matrix": (torch.zeros(3, DIM, 1), [0, 1, 2], r"must be \(batch, 5\)"),
    "too few labels": (GOOD, [0, 1], "3 features must have as many labels"),
    "labels in a matrix": (GOOD, [[0], [1], [2]], "as many labels"),
    "a label that is too large": (GOOD, [0, 1, 4], "must lie in 0 … 3, found 0 … 4"),
    "a negative label": (GOOD, [0, -1, 2], "must lie in 0 … 3, found -1 … 2"),
    "labels that are fractions": (GOOD, [0.0, 1.0, 2.0], "must be integers, not torch.float32"),
    "labels that are truth values": (GOOD, [True, False, True], "must be integers, not torch.bool"),
    "a feature that is no number": (
        GOOD.index_fill(0, torch.tensor(1), math.nan),
        [0, 1, 3],
        "1 of 3 samples",
    ),
    "an infinite feature": (GOOD.index_fill(0, torch.tensor([0, 2]), math.inf), [0, 1, 3], "2 of 3 samples"),
    "a feature whose square overflows": (
        GOOD.double().index_fill(0, torch.tensor(1), 1e200),
        [0, 1, 1],
        "overflow",
    ),
}


@pytest.mark.parametrize("kind", BAD_BATCHES)
@pytest.mark.parametrize("seen", [0, 20])
def test_a_bad_batch_is_refused_and_changes_nothing(kind, seen):
    features, labels = samples(19, classes=3)  # class 3 is still unseen
    moments = accumulate(features[:seen].float(), labels[:seen])
    before = state_of(moments)
    bad_features, bad_labels, message = BAD_BATCHES[kind]
    with pytest.raises(ValueError, match=message):
        moments.update(bad_features, torch.tensor(bad_labels))
    assert_same_state(before, state_of(moments))
    moments.update(features[seen:].float(), labels[seen:])
    assert_agree(moments, two_pass(features.float(), labels), 1e-5)


def test_offsets_of_bad_batches_are_refused():
    moments = accumulate(*samples(20))
    with pytest.raises(ValueError, match="must lie in"):
        moments.offsets(torch.zeros(1, DIM), torch.tensor([CLASSES]))


def test_accumulators_that_differ_do_not_merge():
    moments = ClassMoments(CLASSES, DIM)
    with pytest.raises(ValueError, match="4 classes x 6 features into 4 x 5"):
        moments.merge(ClassMoments(CLASSES, DIM + 1))
    with pytest.raises(ValueError, match="with a scatter matrix and moments without"):
        moments.merge(ClassMoments(CLASSES, DIM, scatter=True))


def test_the_covariance_needs_the_scatter():
    with pytest.raises(ValueError, match="scatter=True"):
        _ = ClassMoments(CLASSES, DIM).within_covariance


@pytest.mark.parametrize("options", [{}, {"scatter": True}, {"keep": torch.empty(200_002, 1)}])
def test_many_rows_that_wait_are_not_summed_in_one_go(options):
    labels = torch.arange(200_002) % 2
    features = 0.01 * torch.randn(len(labels), 1, generator=torch.Generator().manual_seed(0))
    features[:2] += 1.0  # the reference points: a hundred standard deviations away
    moments = ClassMoments(2, 1, **options)
    for rows, names in zip(features.split([2, 200_000]), labels.split([2, 200_000]), strict=True):
        for some, theirs in zip(rows.split(5000), names.split(5000), strict=True):
            moments.update(some, theirs)
    truth = two_pass(features, labels)
    torch.testing.assert_close(moments.means, truth.means, rtol=0, atol=1e-7)
    torch.testing.assert_close(moments.variances, truth.variances, rtol=2e-3, atol=0)


def test_outliers_are_found_in_the_first_batch_in_which_something_varies():
    labels = torch.arange(64).repeat(2)
    features = torch.randn(128, 3, generator=torch.Generator().manual_seed(0))
    features[0] = 1e5
    across = torch.tensor([1.0, -1.0, 0.0], dtype=torch.float64)  # where the outlier does not lie
    moments = accumulate(features, labels, 64, classes=64)
    found, truth = (
        each @ across @ across for each in (moments.within_covariance, two_pass(features, labels).within)
    )
    torch.testing.assert_close(found, truth, rtol=1e-3, atol=0)


def test_means_that_were_written_to_are_as_they_were_when_asked_for_again():
    moments = accumulate(*samples(23))
    before = moments.means.clone()
    moments.means.zero_()
    assert torch.equal(moments.means, before)


def test_means_first_asked_for_in_inference_mode_can_be_differentiated_through():
    moments = accumulate(*samples(24))
    with torch.inference_mode():
        _ = moments.means
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    (scale * moments.means).sum().backward()
    torch.testing.assert_close(scale.grad, moments.means.sum())


@pytest.mark.parametrize(
    "memory", [torch.empty(9, DIM + 1), torch.empty(9 * DIM), torch.empty(9, DIM, dtype=torch.int64)]
)
def test_memory_that_offsets_do_not_fit_is_refused(memory):
    with pytest.raises(ValueError, match=rf"memory for offsets must be \(samples, {DIM}\) of a float dtype"):
        ClassMoments(CLASSES, DIM, keep=memory)


@pytest.mark.parametrize("scatter", [False, True])
def test_memory_that_was_released_is_no_longer_written_to_or_read(scatter):
    features, labels = samples(25)
    memory = torch.empty_like(features)
    moments = ClassMoments(CLASSES, DIM, scatter=scatter, dtype=torch.float64, keep=memory)
    moments.update(features[:30], labels[:30])
    moments.release()
    memory.fill_(math.nan)
    moments.update(features[30:], labels[30:])
    assert memory.isnan().all()
    truth = two_pass(features, labels)
    torch.testing.assert_close(moments.means, truth.means)
    torch.testing.assert_close(moments.variances, truth.variances)
    with pytest.raises(ValueError, match="keep=memory"):
        _ = moments.kept


def test_what_was_merged_in_inference_mode_takes_more_outside():
    features, labels = samples(26)
    first, second = accumulate(features[:20], labels[:20]), accumulate(features[20:40], labels[20:40])
    with torch.inference_mode():
        first.merge(second)
    first.update(features[40:], labels[40:])
    assert_agree(first, two_pass(features, labels), 1e-12)


@pytest.fixture
def hasty_threads():
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_threads_that_read_the_same_moments_after_release_agree():
    features, labels = samples(27, count=600)
    truth = two_pass(features, labels)
    for _ in range(60):
        moments = ClassMoments(CLASSES, DIM, dtype=torch.float64, keep=torch.empty_like(features))
        moments.update(features, labels)
        moments.release()
        for variances in read_by_two(moments):
            torch.testing.assert_close(variances, truth.variances)


def read_by_two(moments):
    """Variances as two threads find them that ask at the same time."""
    ready = Barrier(2)

    def read(_):
        ready.wait(timeout=60)
        return moments.variances

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(read, range(2)))
