"""The numbers that figures show, out of the tables of measures."""

from __future__ import annotations

import pytest

from layerscope.errors import UsageError
from layerscope.plotting.matrix.nc_layers import nc_layer_frame
from layerscope.plotting.matrix.quantities import QUANTITIES, layer_rows, quantity_rows
from layerscope.plotting.matrix.tables import MatrixTables
from layerscope.plotting.quantity import Quantity, label_of


@pytest.mark.parametrize("name", QUANTITIES)
def test_there_is_one_row_per_run_epoch_and_layer(name, plain):
    quantity = QUANTITIES[name]
    rows = quantity_rows(plain.frame(quantity.table), quantity)
    assert len(rows) == 8 * 3 * 3
    assert not rows.duplicated(["run", "epoch", "layer_index"]).any()


def test_of_open_qualifiers_the_largest_sample_and_the_smallest_power_are_taken(plain):
    table = plain.frame("DSE")
    more = table.assign(n=800, value=7.0)
    import pandas as pd

    both = pd.concat([table, more, more.assign(t=4, value=9.0)], ignore_index=True)
    assert set(quantity_rows(both, QUANTITIES["DSE"])["value"]) == {7.0}


def test_what_is_not_there_and_units_that_differ_are_refused(plain):
    with pytest.raises(UsageError, match="no table CDNV holds rows of statistic mode, split train"):
        quantity_rows(plain.frame("CDNV"), Quantity("CDNV", "x", {"statistic": "mode"}))
    table = plain.frame("DSE")
    mixed = table.assign(unit=["bit" if run == table["run"].iloc[0] else "nat" for run in table["run"]])
    with pytest.raises(UsageError, match="DSE is in bit and in nat, depending on the run"):
        quantity_rows(mixed, QUANTITIES["DSE"])


def test_a_unit_is_named_on_the_axis(plain):
    rows = plain.frame("DSE").assign(unit="nat")
    assert label_of(rows, "DSE") == "DSE (nats)"
    assert label_of(rows.assign(unit="1"), "DSE") == "DSE"


@pytest.mark.parametrize(
    ("unit", "label"),
    [("1", "CDNV"), ("feature^-2", "CDNV (exponent 2)"), ("feature^1", "CDNV (exponent 0.5)"),
     ("feature^2", "CDNV"), ("count", "CDNV")],
)  # fmt: skip
def test_another_exponent_of_cdnv_is_named_on_the_axis(plain, unit, label):
    assert label_of(plain.frame("CDNV").assign(unit=unit), "CDNV") == label


def test_runs_with_another_exponent_of_cdnv_have_no_nc_layer(plain):
    powers = MatrixTables({"CDNV": plain.frame("CDNV").assign(unit="feature^-2")})
    assert layer_rows(plain, quantity="CDNV")["nc_layer"].notna().any()
    assert layer_rows(powers, quantity="CDNV")["nc_layer"].isna().all()
    with pytest.raises(UsageError, match=r"CDNV is in feature\^-2, as Measurements.cdnv-exponent is not 1"):
        nc_layer_frame(powers)
