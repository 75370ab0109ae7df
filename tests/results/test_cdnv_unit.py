"""The unit of CDNV."""

from __future__ import annotations

import pytest

from layerscope.results.cdnv_unit import cdnv_unit, exponent_of


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
