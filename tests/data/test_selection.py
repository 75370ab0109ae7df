import numpy as np
import pytest

from layerscope.data.selection import partly_random, stratified, validation_places
from layerscope.errors import DataError

LABELS = np.repeat(np.arange(5), 20)


def test_every_class_keeps_its_share():
    chosen = stratified(LABELS, 25, seed=1)
    assert np.bincount(LABELS[chosen]).tolist() == [5] * 5


def test_what_does_not_divide_differs_by_one():
    counts = np.bincount(LABELS[stratified(LABELS, 23, seed=1)], minlength=5)
    assert (counts.sum(), counts.min(), counts.max()) == (23, 4, 5)


def test_a_rare_class_keeps_a_sample():
    labels = np.array([0] * 1000 + [1] * 3)
    assert np.bincount(labels[stratified(labels, 10, seed=0)]).tolist() == [9, 1]


def test_an_unbalanced_set_stays_so():
    labels = np.array([0] * 300 + [1] * 100)
    assert np.bincount(labels[stratified(labels, 40, seed=0)]).tolist() == [30, 10]


def test_the_choice_is_ascending_without_repetition_and_fixed_by_its_seed():
    first, again, other = (stratified(LABELS, 50, seed) for seed in (3, 3, 4))
    assert np.all(np.diff(first) > 0)
    assert first.tolist() == again.tolist() != other.tolist()


def test_fewer_samples_than_classes_do_not_favour_the_first_classes():
    classes = {tuple(LABELS[stratified(LABELS, 2, seed)]) for seed in range(40)}
    assert {label for pair in classes for label in pair} == set(range(5))
    assert all(len(set(pair)) == 2 for pair in classes)


def test_all_samples_are_all_samples():
    assert stratified(LABELS, 100, seed=0).tolist() == list(range(100))


def test_more_than_all_is_refused():
    with pytest.raises(DataError, match="only 100 training samples"):
        stratified(LABELS, 101, seed=0)


def test_exactly_the_share_of_labels_is_redrawn_uniformly():
    labels = np.full(10_000, 3)
    changed = partly_random(labels, 0.5, 10, seed=0)
    # 5000 redrawn over 10 classes, of which a tenth hits the old label: 500 +- 21 each
    counts = np.bincount(changed, minlength=10)
    assert counts[3] - 5000 == pytest.approx(500, abs=100)
    assert np.delete(counts, 3) == pytest.approx(500, abs=100)


def test_the_number_redrawn_is_exact():
    labels = np.full(101, 7)
    changed = partly_random(labels, 0.3, 10_000_000, seed=0)  # so many classes that none hits the old label
    assert int((changed != labels).sum()) == 30


@pytest.mark.parametrize(("share", "same"), [(0.0, True), (1.0, False)])
def test_the_shares_none_and_all(share, same):
    assert np.array_equal(partly_random(LABELS, share, 5, seed=0), LABELS) is same


def test_redrawing_leaves_the_given_labels_and_is_fixed_by_its_seed():
    before = LABELS.copy()
    first, again, other = (partly_random(LABELS, 0.4, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(LABELS, before)
    assert first.tolist() == again.tolist() != other.tolist()


def test_every_class_gives_its_share_for_validation():
    held = validation_places(LABELS, 0.2, seed=1)
    assert np.bincount(LABELS[held]).tolist() == [4] * 5
    assert held.tolist() == sorted(set(held.tolist()))
    assert not np.array_equal(held, validation_places(LABELS, 0.2, seed=2))


def test_a_class_with_one_sample_keeps_it_for_training():
    labels = np.array([0] * 50 + [1])
    assert 50 not in validation_places(labels, 0.5, seed=0)


@pytest.mark.parametrize(("share", "empty"), [(0.001, "validation"), (0.999, "training")])
def test_a_share_that_leaves_a_split_empty_is_refused(share, empty):
    with pytest.raises(DataError, match=f"leaves none for {empty}"):
        validation_places(LABELS, share, seed=0)
