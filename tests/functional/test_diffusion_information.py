"""Diffusion spectral mutual information."""

import math

import entropy_reference as reference
import pytest
import torch
from clouds import MOVES, cloud, far_groups, far_labels, moved
from constructions import few, labelled
from hypothesis import given
from hypothesis import strategies as st

from layerscope.functional import (
    class_information,
    class_parts,
    class_spectra,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
    gaussian_affinity,
    matched_subsets,
    spectral_information,
)
from layerscope.functional.diffusion import part_spectra


def information(points, labels, **arguments):
    return diffusion_spectral_mutual_information(points, labels, **{"bandwidth": 1.0, **arguments})


def test_classes_that_are_far_groups_are_told_in_full():
    points, labels = far_groups(10, 20, 30), far_labels(10, 20, 30)
    found = information(points, labels)
    assert found.full == pytest.approx(math.log(3))
    assert found.conditional == pytest.approx(0.0, abs=1e-10)
    assert found.label_entropy == pytest.approx(reference.entropy([1 / 6, 1 / 3, 1 / 2]))
    assert found.matched == pytest.approx(found.matched_entropy)


def test_labels_that_cut_across_far_groups_tell_nothing():
    points = far_groups(8, 8, 8)
    found = information(points, torch.arange(24) % 2)
    assert found.full == pytest.approx(0.0, abs=1e-10)


def test_one_class_tells_nothing_and_classes_of_one_point_everything():
    points = cloud(1, 20, 3)
    single = information(points, torch.zeros(20).long())
    assert (single.full, single.label_entropy) == (pytest.approx(0.0, abs=1e-12), 0.0)
    assert single.matched == pytest.approx(0.0, abs=1e-12)  # every subset is the whole
    alone = information(points, torch.arange(20))
    assert alone.conditional == 0.0
    assert alone.full == diffusion_spectral_entropy(points, bandwidth=1.0)
    assert alone.matched == 0.0  # one point holds no entropy: the ceiling of small classes


@given(data=labelled, sigma=st.floats(0.5, 5.0), t=st.sampled_from([1.0, 2.0]))
@few
def test_full_is_that_of_the_definition(data, sigma, t):
    found = information(data.features, data.labels, bandwidth=sigma, t=t, variant="full")
    truth = reference.dsmi(data.features.numpy(), data.labels.numpy(), sigma, t)
    assert found.full == pytest.approx(truth, rel=1e-6, abs=1e-6)
    assert math.isnan(found.matched)


def test_matched_is_the_mean_over_the_subsets_of_each_class():
    points, labels = cloud(3, 30, 2), torch.tensor([0] * 20 + [1] * 10)
    subsets = matched_subsets(torch.tensor([20, 10]), 3, seed=7)
    found = information(points, labels, variant="matched", repeats=3, seed=7)

    def entropy(index):
        return reference.dse(points[index].numpy(), 1.0)

    within = 2 / 3 * entropy(labels == 0) + 1 / 3 * entropy(labels == 1)
    around = sum(p * sum(map(entropy, subsets[n])) / 3 for p, n in ((2 / 3, 20), (1 / 3, 10)))
    assert found.matched_entropy == pytest.approx(around, rel=1e-8)
    assert found.matched == pytest.approx(around - within, rel=1e-6)
    assert math.isnan(found.full) and math.isnan(found.full_error)


@pytest.mark.parametrize("change", MOVES[:3])
def test_coordinates_do_not_matter(change):
    points, labels = cloud(3, 30, 2), torch.arange(30) % 3
    expected = information(points, labels, variant="full").full
    assert information(moved(change, points, 1), labels, variant="full").full == pytest.approx(expected)


def test_names_and_order_of_classes_and_samples_do_not_matter():
    points, labels = cloud(3, 30, 2), torch.arange(30) % 3
    expected = information(points, labels, variant="full").full
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    names = torch.tensor([-5, 1000, 7])
    assert information(points[order], names[labels[order]], variant="full").full == pytest.approx(expected)
    assert information(points.repeat(2, 1), labels.repeat(2), variant="full").full == pytest.approx(expected)


def test_neither_variant_is_bounded_by_the_label_entropy():
    points = torch.cat([cloud(1, 190, 20), cloud(2, 10, 20) + 50.0])
    labels = torch.tensor([0] * 190 + [1] * 10)
    found = information(points, labels, bandwidth=10.0)
    assert found.label_entropy == pytest.approx(reference.entropy([0.95, 0.05]))
    for value in (found.full, found.matched):
        assert value > 1.5 * found.label_entropy


def test_matched_saturates_with_small_classes_and_full_does_not():
    points, labels = far_groups(*[10] * 20), far_labels(*[10] * 20)
    found = information(points, labels)
    assert found.full == pytest.approx(math.log(20)) == pytest.approx(found.label_entropy)
    assert found.matched == pytest.approx(found.matched_entropy)
    assert found.matched <= math.log(10) < found.label_entropy


def test_independent_labels_may_tell_less_than_nothing():
    points = cloud(5, 60, 8)
    values = [
        information(points, torch.randint(0, 3, (60,), generator=torch.Generator().manual_seed(seed)))
        for seed in range(8)
    ]
    assert min(value.matched for value in values) < 0
    assert all(value.matched < 0.1 for value in values)


def test_one_gram_matrix_serves_all_classes_subsets_and_powers():
    points, labels = cloud(3, 40, 2), torch.arange(40) % 4
    spectra = class_spectra(gaussian_affinity(points, 1.0), labels, seed=5)
    for t in (1.0, 3.0):
        assert spectral_information(spectra, t) == information(points, labels, t=t, seed=5)


def test_blocks_of_a_kept_kernel_are_those_computed_from_the_points():
    points, labels = cloud(3, 40, 2), torch.arange(40) % 4
    kept, anew = (gaussian_affinity(points, 1.0, memory=memory) for memory in (2**30, 1000))
    assert kept.dense is not None and anew.dense is None
    found = [spectral_information(class_spectra(affinity, labels)).full for affinity in (kept, anew)]
    assert found[1] == pytest.approx(found[0], rel=1e-12)


def test_large_samples_carry_the_error_of_their_quadrature(monkeypatch):
    monkeypatch.setattr("layerscope.functional.diffusion.EXACT", 100)
    points, labels = cloud(3, 150, 6), torch.arange(150) % 2
    found = information(points, labels, bandwidth="median")
    assert 0 < found.full_error < 0.05
    monkeypatch.undo()
    exact = information(points, labels, bandwidth="median")
    assert exact.full_error == 0.0
    assert found.full == pytest.approx(exact.full, abs=5 * found.full_error)


def test_the_matched_error_is_that_of_repeated_draws():
    points, labels = cloud(3, 60, 4), torch.arange(60) % 3
    draws = [information(points, labels, seed=seed, variant="matched") for seed in range(20)]
    spread = torch.tensor([draw.matched for draw in draws]).std()
    mean = sum(draw.matched_error for draw in draws) / 20
    assert 0.5 < mean / float(spread) < 2.0
    assert math.isnan(information(points, labels, repeats=1).matched_error)


def test_equal_seeds_draw_equal_subsets_without_the_global_generator():
    counts = torch.tensor([5, 5, 9])
    before = torch.random.get_rng_state()
    first, again, other = (matched_subsets(counts, 4, seed) for seed in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert list(first) == [5, 9]  # classes of one size share their subsets
    for size, subsets in first.items():
        assert all(torch.equal(a, b) for a, b in zip(subsets, again[size], strict=True))
        assert not torch.equal(subsets[0], other[size][0]) and not torch.equal(subsets[0], subsets[1])
        assert [len(index.unique()) for index in subsets] == [size] * 4


def test_units_are_the_same_for_all_parts():
    points, labels = far_groups(5, 5), far_labels(5, 5)
    found = information(points, labels, units="bits")
    assert (found.full, found.label_entropy) == (pytest.approx(1.0), pytest.approx(1.0))


def test_any_entropy_of_subsets_can_be_compared_by_classes():
    labels = torch.tensor([0, 0, 0, 1])
    parts = class_parts(len, labels, repeats=2)
    found = class_information(parts, float)
    assert (found.entropy, found.conditional, found.matched_entropy) == (4.0, 2.5, 2.5)
    assert (found.full, found.matched, found.matched_error) == (1.5, 0.0, 0.0)


def test_parts_of_one_size_can_be_measured_together():
    labels = torch.tensor([0, 1, 1, 2, 2, 3])
    calls = []

    def together(parts):
        calls.append(tuple(parts.shape))
        return [part.tolist() for part in parts]

    alone = class_parts(torch.Tensor.tolist, labels, repeats=3, seed=1)
    found = class_parts(torch.Tensor.tolist, labels, repeats=3, seed=1, together=together)
    assert (found.whole, found.classes, found.matched) == (alone.whole, alone.classes, alone.matched)
    assert sorted(calls) == [(5, 1), (5, 2)]  # two classes of each size, and three subsets


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(("alpha", "memory"), [(0.0, 2**30), (0.5, 2**30), (0.0, 1)])
def test_spectra_of_parts_are_those_of_the_points_in_them(precision, alpha, memory):
    kernel = gaussian_affinity(cloud(4, 90, 3), 1.5, precision=precision, memory=memory)
    parts = torch.stack([torch.arange(70), torch.arange(0, 90)[20:]])
    for part, found in zip(parts, part_spectra(kernel, parts, alpha=alpha), strict=True):
        expected = diffusion_spectrum(kernel.restricted(part), alpha=alpha).values
        torch.testing.assert_close(
            found.values, expected, rtol=0, atol=1e-6 if precision == "float32" else 1e-13
        )


@pytest.mark.parametrize(
    ("labels", "arguments", "message"),
    [
        (torch.zeros(12), {}, "labels must be integers, not torch.float32: .* equal_width_codes"),
        (torch.zeros(11).long(), {}, r"12 points need labels of shape \(12,\), not \(11,\)"),
        (torch.zeros(12).long(), {"variant": "half"}, "'both', 'full' or 'matched', not 'half'"),
        (torch.zeros(12).long(), {"repeats": 0}, "at least one subset per size must be drawn, not 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(labels, arguments, message):
    with pytest.raises(ValueError, match=message):
        information(cloud(1), labels, **arguments)


def test_no_points_say_nothing():
    with pytest.raises(ValueError, match="labels of no points say nothing"):
        information(torch.ones(0, 3), torch.zeros(0).long())
