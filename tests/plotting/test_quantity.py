"""Which rows of a table a quantity takes."""

from __future__ import annotations

import pandas as pd

from layerscope.plotting.quantity import Quantity, entropy_of


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


def test_the_largest_sample_of_each_place_is_taken_whatever_other_qualifiers_are_open():
    frame = table(n=[100, 400, 100, 400], t=[1, 1, 2, 2]).assign(layer_index=[0, 0, 0, 0])
    assert Quantity("DSE", "").rows(frame)["value"].tolist() == [1]


def test_what_to_compare_with_comes_from_the_first_table_that_has_it():
    entropy = {"DSMI": table(variable=["labels"], statistic=["label_entropy"]).assign(value=2.0)}
    known = Quantity("KSG", "", **entropy_of("labels", "KSG"))
    assert known.rows_beside(entropy)["value"].tolist() == [2.0]
    both = {**entropy, "BinnedMI": table(statistic=["label_entropy"]).assign(value=1.0)}
    assert known.rows_beside(both)["value"].tolist() == [1.0]
    assert Quantity("DSMI", "", **entropy_of("labels", "DSMI")).rows_beside(both)["value"].tolist() == [2.0]
    assert Quantity("KSG", "", **entropy_of("inputs", "KSG")).rows_beside(both) is None
