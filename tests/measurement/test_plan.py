"""How much memory a measurement needs, and what is done when there is less."""

import pytest

from layerscope.errors import MeasurementError
from layerscope.features.taps import Layer
from layerscope.measurement.plan import Plan, make_plan
from layerscope.measures.base import Need

LAYERS = [Layer("narrow", 0, "narrow", 0, (30,), 30), Layer("wide", 1, "wide", 0, (2, 35), 70)]
SAMPLES = {"train": 1000, "test": 200}
STATE = 2 * 10 * 100 * (4 + 8) + 9 * 100 * (2 * 8 + 2 * 12)  # references and sums; directions, and their use
PASSING = 70 * 10 * 8 * 6  # the class means of one layer, and what decomposes them
TRAIN, TEST = 1000 * 100 * 4, 200 * 100 * 4


def plan(memory, needs=Need.SCATTER, **changes):
    arguments = {"num_classes": 10, "needs": needs, "item_bytes": 4} | changes
    return make_plan(LAYERS, SAMPLES, memory_bytes=memory, **arguments)


def test_everything_is_kept_when_it_fits():
    assert plan(STATE + PASSING + TRAIN + TEST) == Plan(
        frozenset({"train", "test"}), STATE, TRAIN + TEST, PASSING
    )


def test_what_does_not_fit_is_read_again():
    assert plan(STATE + PASSING + TRAIN + TEST - 1) == Plan(frozenset({"train"}), STATE, TRAIN, PASSING)


def test_a_small_split_is_kept_even_when_a_large_one_is_not():
    assert plan(STATE + PASSING + TRAIN - 1) == Plan(frozenset({"test"}), STATE, TEST, PASSING)


def test_nothing_is_kept_when_only_the_class_means_fit():
    assert plan(STATE + PASSING) == Plan(frozenset(), STATE, 0, PASSING)


def test_nothing_is_kept_when_one_sweep_is_enough():
    assert plan(10**9, Need.MOMENTS | Need.DECISIONS | Need.SPECTRUM).cached == frozenset()


@pytest.mark.parametrize("needs", [Need.SCATTER, Need.NEAREST, Need.NEAREST | Need.MOMENTS])
def test_features_are_kept_for_whatever_needs_the_final_means(needs):
    assert plan(10**9, needs).cached == {"train", "test"}


def test_a_batch_and_other_images_count_too():
    more = {"batch_size": 5, "needs": Need.SCATTER | Need.OOD}
    assert plan(10**9, **more).working_bytes == PASSING + 70 * 5 * (4 + 8)
    assert plan(10**9, **more).state_bytes == STATE + 100 * 3 * 8


def test_layers_are_finished_side_by_side_where_kept_features_leave_the_room():
    everything = STATE + PASSING + TRAIN + TEST
    assert plan(everything + PASSING - 1, workers=3).workers == 1
    found = plan(everything + PASSING, workers=3)
    assert (found.workers, found.cached) == (2, {"train", "test"})
    assert found.total_bytes == everything + PASSING
    assert plan(10**9, workers=3).workers == 3


def test_decompositions_of_weights_count_when_a_measure_needs_them():
    weights, needs = [(10, 70), (300, 200)], Need.SCATTER | Need.SPECTRUM | Need.VECTORS
    kept = 8 * (10 + 10 * 70 + 200 + 100 * 200)  # all values, at most 100 vectors
    passing = 8 * 200 * (3 * 300 + 6 * 200)  # of the larger; more than the class means take
    found = plan(10**9, needs, weights=weights)
    assert (found.state_bytes, found.working_bytes) == (STATE + kept, passing)
    fewer = plan(10**9, needs & ~Need.VECTORS, num_classes=5, weights=weights)
    vectors = 8 * (10 + 5 * 70 + 200 + 5 * 200)  # one for each class
    assert fewer.state_bytes == plan(10**9, num_classes=5).state_bytes + vectors
    assert plan(10**9, weights=weights) == plan(10**9)
    with pytest.raises(MeasurementError, match=r"largest of 300 x 200.*leave out WeightSVs"):
        plan(STATE + kept + passing - 1, needs, weights=weights)


def test_float64_features_take_twice_the_memory():
    assert plan(10**9, item_bytes=8).cache_bytes == 2 * (TRAIN + TEST)


def test_a_budget_below_the_class_means_is_refused_with_the_numbers():
    with pytest.raises(MeasurementError) as caught:
        plan(5 * 2**30, num_classes=10**8)
    text = str(caught.value)
    needed = 10**8 * (2 * 100 * (4 + 8) + 70 * 8 * 6) + (30**2 + 70**2) * (2 * 8 + 2 * 12)
    assert f"x {10**8} classes, and a batch at one of them, need {needed / 2**30:.2f} GiB" in text
    assert "more than Measurements.memory (5.00 GiB)" in text
    assert "The widest layer is wide with 70 features" in text
    assert "project:N" in text


def test_a_refusal_of_a_small_budget_does_not_speak_of_zero():
    with pytest.raises(MeasurementError) as caught:
        plan(STATE + PASSING - 1)
    assert "0.00" not in str(caught.value)
    assert "91.41 KiB" in str(caught.value)
