"""Which epochs, layers and names are shown."""

from __future__ import annotations

from itertools import pairwise

import pytest

from layerscope.plotting.drawing.selection import short_name, spread, tick_places


def test_few_epochs_are_all_shown():
    assert spread([0, 1, 5]) == (0, 1, 5)
    assert spread([]) == ()


def test_many_epochs_are_spread_with_first_and_last():
    shown = spread(list(range(0, 351)))
    assert len(shown) == 6
    assert (shown[0], shown[-1]) == (0, 350)


@pytest.mark.parametrize("count", [*range(1, 120), 200, 1000])
def test_ticks_are_few_even_and_hold_both_ends(count):
    places = tick_places(count)
    assert 1 <= len(places) <= 15
    assert (places[0], places[-1]) == (0, count - 1)
    gaps = [after - before for before, after in pairwise(places)]
    assert all(gap == gaps[0] for gap in gaps[:-1])
    assert not gaps or 0.5 * gaps[0] <= gaps[-1] <= 1.7 * gaps[0] + 1


def test_short_names_stay():
    assert short_name("layer4.1.conv2") == "layer4.1.conv2"


def test_long_names_lose_their_leading_parts_first():
    assert short_name("features.denseblock4.denselayer16.conv2") == "f.d4.d16.conv2"
    assert short_name("blocks.11.attn.qkv.proj") == "b.11.a.qkv.proj"


def test_names_that_cannot_be_abbreviated_are_cut():
    short = short_name("a_module_name_without_any_dot_in_it")
    assert len(short) == 16
    assert short.startswith("…")
