"""Which rows of a table a quantity takes."""

from __future__ import annotations

import pandas as pd

from layerscope.plotting.quantity import Quantity


def table(**columns: list[object]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    place = {
        "epoch": [0] * size,
        "split": ["train"] * size,
        "layer_name": ["fc"] * size,
        "layer_index": [0] * size,
    }
    return pd.DataFrame({**place, **columns, "value": range(size), "status": ["ok"] * size})


def test_of_the_numbers_of_samples_the_largest_is_taken_and_of_other_qualifiers_the_first():
    frame = table(t=["1", "1", "2", "2"], n=[100, 400, 100, 400])
    rows = Quantity("DSE", "").rows(frame)
    assert rows is not None
    assert rows["value"].tolist() == [1]


def test_what_is_asked_for_is_taken():
    frame = table(statistic=["mean", "max"])
    assert Quantity("CDNV", "", {"statistic": "max"}).rows(frame)["value"].tolist() == [1]
    assert Quantity("CDNV", "", {"statistic": "min"}).rows(frame) is None
    assert Quantity("CDNV", "", {"statistic": "max"}).rows(frame, "test") is None
    assert Quantity("CDNV", "").rows(None) is None


def test_rows_that_do_not_apply_are_left_out():
    assert Quantity("CDNV", "").rows(table(statistic=["mean"]).assign(status="skipped")) is None
