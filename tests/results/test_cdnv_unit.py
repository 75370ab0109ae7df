"""The unit of CDNV."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from layerscope.results.cdnv_unit import are_pure, cdnv_unit, exponent_of


@pytest.mark.parametrize(
    ("exponent", "unit"),
    [(1, "1"), (2.0, "feature^-2"), (0.5, "feature^1"), (0.9, "feature^0.2"), (1.25, "feature^-0.5")],
)
def test_the_unit_is_that_of_a_variance_over_a_power_of_a_squared_distance(exponent, unit):
    assert cdnv_unit(exponent) == unit
    assert exponent_of(unit) == pytest.approx(exponent, rel=1e-12)


@pytest.mark.parametrize("unit", ["", "nat", "count", "feature", "feature^2", "logit^2"])
def test_other_units_are_of_no_other_exponent(unit):
    assert exponent_of(unit) == 1


def test_units_that_pandas_read_as_numbers_are_pure():
    assert are_pure(pd.Series(["1", "feature^-2"])).tolist() == [True, False]
    assert are_pure(pd.Series([1, 1])).tolist() == [True, True]
    assert are_pure(pd.Series([1.0, math.nan])).tolist() == [True, False]
