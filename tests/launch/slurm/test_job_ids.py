"""Slurm's job ids, one by one and in ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.launch.slurm.job_ids import array_of, collapsed, expanded


@pytest.mark.parametrize(
    ("job", "tasks"),
    [
        ("12", ["12"]),
        ("12_3", ["12_3"]),
        ("12_[0-2]", ["12_0", "12_1", "12_2"]),
        ("12_[1,4-5%2]", ["12_1", "12_4", "12_5"]),
        ("12_[0-6:3]", ["12_0", "12_3", "12_6"]),
    ],
)
def test_a_range_is_its_tasks(job, tasks):
    assert expanded(job) == tasks


def test_tasks_of_an_array_are_one_word_and_the_array_stands_for_all():
    assert collapsed(["3_1", "3_0", "3_2", "3_9", "7", "5_4", "8", "8_1"]) == ["3_[0-2,9]", "5_[4]", "7", "8"]


def test_what_is_no_id_is_left_out():
    assert collapsed(["", "local", "7"]) == ["7"]


def test_a_task_belongs_to_its_array():
    assert (array_of("12_3"), array_of("12")) == ("12", "12")


@given(st.sets(st.tuples(st.integers(1, 3), st.integers(0, 999)), max_size=300))
def test_nothing_is_lost_in_ranges(tasks):
    jobs = {f"{array}_{task}" for array, task in tasks}
    assert {job for word in collapsed(jobs) for job in expanded(word)} == jobs
