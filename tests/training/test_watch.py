from __future__ import annotations

import pytest

from layerscope.training import watch as module
from layerscope.training.watch import Watch, Wish


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test moves: ``clock[0]`` is its time in seconds."""
    time = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: time[0])
    return time


def test_a_point_is_due_once_per_interval(clock):
    watch = Watch(minutes=2)
    wishes = []
    for clock[0] in (0, 119, 120, 121, 239, 240):
        wishes.append(watch.ask())
    assert wishes == [Wish.GO_ON, Wish.GO_ON, Wish.SAVE, Wish.GO_ON, Wish.GO_ON, Wish.SAVE]


def test_the_interval_begins_anew_with_every_point(clock):
    watch = Watch(minutes=2)
    clock[0] = 100
    watch.restart_clock()
    clock[0] = 219
    assert watch.ask() is Wish.GO_ON


def test_without_an_interval_no_point_is_due(clock):
    watch = Watch()
    clock[0] = 1e9
    assert watch.ask() is Wish.GO_ON


def test_the_wish_to_stop_comes_first(clock):
    watch = Watch(lambda: True, minutes=1)
    clock[0] = 1e9
    assert watch.ask() is Wish.STOP
    watch.close()
