"""The layer at which a network is collapsed."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from layerscope.results import LayerRef, nc_layer


def table(values, *, split="train", epoch=10, statistic="mean"):
    return pd.DataFrame(
        {
            "epoch": epoch,
            "split": split,
            "layer_name": [f"layer{index}" for index in range(len(values))],
            "layer_index": range(len(values)),
            "statistic": statistic,
            "value": values,
        }
    )


def test_it_is_the_first_layer_below_the_threshold():
    assert nc_layer(table([1.0, 0.19, 0.5, 0.1])) == LayerRef("layer1", 1)


def test_the_threshold_itself_is_not_below():
    assert nc_layer(table([0.2, 0.2])) is None


def test_values_that_are_no_pure_numbers_are_never_below():
    assert nc_layer(table([0.1]).assign(unit="1")) == LayerRef("layer0", 0)
    assert nc_layer(table([0.1]).assign(unit="feature^-2")) is None


def test_persistent_asks_that_all_later_layers_are_below_too():
    assert nc_layer(table([1.0, 0.1, 0.5, 0.1]), persistent=True) == LayerRef("layer3", 3)
    assert nc_layer(table([1.0, 0.1, 0.1, 0.1]), persistent=True) == LayerRef("layer1", 1)
    assert nc_layer(table([0.1, 0.1, 0.3]), persistent=True) is None


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_undefined_and_infinite_values_are_never_below(odd):
    assert nc_layer(table([odd, 0.1])) == LayerRef("layer1", 1)
    assert nc_layer(table([0.1, odd]), persistent=True) is None


def test_execution_order_counts_and_not_the_order_of_rows():
    assert nc_layer(table([1.0, 0.1, 0.05]).iloc[::-1]) == LayerRef("layer1", 1)


def test_the_last_epoch_is_meant_unless_another_is_named():
    frame = pd.concat([table([0.1, 0.1], epoch=1), table([1.0, 0.1], epoch=9)])
    assert nc_layer(frame) == LayerRef("layer1", 1)
    assert nc_layer(frame, epoch=1) == LayerRef("layer0", 0)
    assert nc_layer(frame, epoch=5) is None


def test_only_the_mean_of_the_named_split_is_looked_at():
    frame = pd.concat([table([0.1], statistic="median"), table([0.1], split="test"), table([0.9])])
    assert nc_layer(frame) is None
    assert nc_layer(frame, split="test") == LayerRef("layer0", 0)
    assert nc_layer(frame, split="test", threshold=0.05) is None


def test_an_empty_table_has_none():
    assert nc_layer(table([]).astype({"split": str, "statistic": str})) is None
