"""Discrete mutual information of joint tables, with its corrections and its null."""

import math

import information_reference as reference
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from layerscope.functional import class_mutual_information, discrete_mutual_information, joint_counts

few = settings(max_examples=40, deadline=None)
tables = st.lists(
    st.lists(st.integers(0, 9), min_size=4, max_size=4), min_size=2, max_size=6
).filter(lambda rows: sum(map(sum, rows)) > 0)  # fmt: skip


def test_a_balanced_diagonal_of_ten_has_log_ten():
    found = discrete_mutual_information(torch.eye(10, dtype=torch.int64) * 50, units="bits")
    assert found.value == pytest.approx(3.321928094887362, abs=1e-14)
    assert found.value == pytest.approx(found.bound, abs=1e-14)
    assert found.value <= found.bound
    assert found.normalized == pytest.approx(1.0, abs=1e-14)


def test_a_small_table_has_its_published_value_in_both_units():
    # D-28: the code that this is compared with returns bits and says nats, and fails on float64.
    table = torch.tensor([[0.1, 0.2], [0.3, 0.4]], dtype=torch.float64)
    assert discrete_mutual_information(table, units="bits").value == pytest.approx(0.0058021, abs=5e-8)
    assert discrete_mutual_information(table).value == pytest.approx(0.0040217, abs=5e-8)


def test_independent_variables_and_constant_ones_have_none():
    product = torch.outer(torch.tensor([1, 2, 3]), torch.tensor([4, 0, 5]))
    assert discrete_mutual_information(product).value == pytest.approx(0.0, abs=1e-15)
    constant = torch.zeros(10, 10, dtype=torch.int64)
    constant[3] = 7
    found = discrete_mutual_information(constant)
    assert (found.value, found.status) == (0.0, "degenerate")


@few
@given(rows=tables)
def test_values_are_those_of_a_loop_over_the_definition(rows):
    table = torch.tensor(rows)
    found = discrete_mutual_information(table)
    assert found.value == pytest.approx(reference.discrete(rows), abs=1e-12)
    assert 0 <= found.value <= found.bound
    assert discrete_mutual_information(table.T).value == pytest.approx(found.value, abs=1e-14)
    assert discrete_mutual_information(table.flip(0)).value == pytest.approx(found.value, abs=1e-14)
    padded = torch.nn.functional.pad(table, (0, 3, 0, 2))
    assert discrete_mutual_information(padded).value == pytest.approx(found.value, abs=1e-14)
    assert discrete_mutual_information(padded).miller_madow == pytest.approx(found.miller_madow, abs=1e-14)


@few
@given(rows=tables)
def test_what_classes_say_averages_to_the_whole(rows):
    table = torch.tensor(rows)
    found = class_mutual_information(table)
    share = table.sum(dim=1).double() / table.sum()
    seen = share > 0
    assert float((found[seen] * share[seen]).sum()) == pytest.approx(
        discrete_mutual_information(table).value, abs=1e-12
    )
    assert bool((found[seen] >= 0).all())
    assert bool(found[~seen].isnan().all())


def test_miller_madow_takes_away_most_of_the_bias_of_independent_labels():
    generator = torch.Generator().manual_seed(0)
    found = [
        discrete_mutual_information(
            joint_counts(*torch.randint(10, (2, 1000), generator=generator), 10), permutations=10
        )
        for _ in range(30)
    ]
    plug_in, corrected, null, p_value = (
        sum(getattr(each, name) for each in found) / len(found)
        for name in ("value", "miller_madow", "null_mean", "p_value")
    )
    assert plug_in == pytest.approx(81 / 2000, rel=0.1)
    assert null == pytest.approx(plug_in, rel=0.1)
    assert abs(corrected) < plug_in / 10
    assert 0.3 < p_value < 0.8


def test_dependent_labels_stand_out_of_the_null():
    labels = torch.arange(300) % 3
    found = discrete_mutual_information(joint_counts(labels, labels, 3), permutations=100, units="bits")
    assert found.p_value == pytest.approx(1 / 101)
    assert found.value > found.null_mean + 10 * found.null_std


def test_the_null_has_the_same_bits_for_the_same_seed_and_leaves_the_global_stream_alone():
    table = torch.tensor([[5, 1], [2, 6]])
    before = torch.random.get_rng_state()
    first, again = (discrete_mutual_information(table, permutations=20, seed=3) for _ in range(2))
    other = discrete_mutual_information(table, permutations=20, seed=4)
    assert first == again
    assert first.null_mean != other.null_mean
    assert torch.equal(before, torch.random.get_rng_state())


def test_no_samples_leave_it_undefined():
    found = discrete_mutual_information(torch.zeros(3, 3, dtype=torch.int64), permutations=5)
    assert (found.status, found.samples) == ("undefined", 0)
    assert math.isnan(found.value)
    assert math.isnan(found.miller_madow)
    assert math.isnan(found.p_value)


def test_probabilities_have_no_sampling_bias_to_correct():
    found = discrete_mutual_information(torch.tensor([[0.5, 0.0], [0.0, 0.5]]))
    assert math.isnan(found.miller_madow)
    with pytest.raises(ValueError, match="needs counts"):
        discrete_mutual_information(torch.eye(2), permutations=3)


def test_classes_that_never_occur_have_their_place_in_the_table():
    # D-29: a table of the classes that occur cannot hold a decision for another one.
    counts = joint_counts(torch.tensor([0, 9, 0]), torch.tensor([0, 9, 2]), 10)
    assert counts.shape == (10, 10)
    assert counts[9, 9] == counts[0, 0] == counts[0, 2] == 1
    assert counts.sum() == 3
    assert joint_counts(torch.tensor([1]), torch.tensor([4]), 2, 5).shape == (2, 5)


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        (torch.tensor([0, 3]), torch.tensor([0, 1]), "0 … 2, found 0 … 3"),
        (torch.tensor([0, 1]), torch.tensor([0, -1]), "0 … 2, found -1 … 0"),
        (torch.tensor([0.0]), torch.tensor([0]), "integers"),
        (torch.tensor([0, 1]), torch.tensor([0]), "one length"),
    ],
)
def test_labels_that_do_not_fit_are_refused(rows, columns, message):
    with pytest.raises(ValueError, match=message):
        joint_counts(rows, columns, 3)


@pytest.mark.parametrize(
    "table", [torch.tensor([[1, -1]]), torch.tensor([[math.nan, 1.0]]), torch.tensor([[math.inf, 1.0]])]
)
def test_entries_that_are_no_counts_are_refused(table):
    with pytest.raises(ValueError, match="negative or not finite"):
        discrete_mutual_information(table)


def test_a_vector_is_no_table():
    with pytest.raises(ValueError, match="matrix"):
        discrete_mutual_information(torch.tensor([1, 2]))
