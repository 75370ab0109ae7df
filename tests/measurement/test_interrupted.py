"""Measuring that is asked to stop: what is finished stays, the rest is measured the next time."""

from __future__ import annotations

import itertools

import pytest

from layerscope.measures.registry import MEASURES

from .test_measure_checkpoints import EPOCHS, Folder


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)


def after(questions):
    asked = itertools.count()
    return lambda: next(asked) >= questions


def test_a_wish_to_stop_is_heard_in_the_middle_of_a_checkpoint(folder):
    asked = itertools.count()
    folder.measure({0: ("NC1",)}, should_stop=lambda: next(asked) < 0)
    questions = next(asked)
    assert questions > 4

    folder.measure(dict.fromkeys(EPOCHS, ("NC1",)), should_stop=after(2 * questions - 3))
    assert set(folder.tables.computed("NC1")) == {0}


def test_going_on_gives_the_tables_of_an_undisturbed_measurement(folder, tmp_path):
    whole = Folder(tmp_path / "whole")
    whole.measure(dict.fromkeys(EPOCHS, tuple(MEASURES)))
    folder.measure(dict.fromkeys(EPOCHS, tuple(MEASURES)), should_stop=after(12))
    computed = set(folder.tables.computed("NC1"))
    assert computed < set(EPOCHS)
    folder.measure(dict.fromkeys(set(EPOCHS) - computed, tuple(MEASURES)))
    for name in MEASURES:
        assert folder.tables.path(name).read_bytes() == whole.tables.path(name).read_bytes()
