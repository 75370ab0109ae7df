"""Means over repetitions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from layerscope.plotting.drawing.degenerate import count_reasons
from layerscope.plotting.matrix.averages import averaged


def rows(*values: float, status: str = "ok") -> pd.DataFrame:
    return pd.DataFrame({"layer_index": 0, "value": values, "status": status})


def test_mean_and_band_are_those_of_the_sample():
    (found,) = averaged(rows(1.0, 2.0, 6.0), ["layer_index"]).itertuples()
    assert found.middle == pytest.approx(3.0)
    assert found.high - found.middle == pytest.approx(np.std([1, 2, 6], ddof=1))
    assert found.n == 3


def test_on_a_logarithmic_axis_they_are_those_of_the_logarithms():
    (found,) = averaged(rows(0.01, 1.0), ["layer_index"], log=True).itertuples()
    assert found.middle == pytest.approx(0.1)
    assert found.middle / found.low == pytest.approx(found.high / found.middle)
    assert found.low > 0


def test_what_has_no_place_is_counted_not_averaged():
    (found,) = averaged(rows(2.0, math.nan, math.inf, 0.0, -1.0), ["layer_index"], log=True).itertuples()
    assert (found.n, found.undefined, found.infinite, found.too_small) == (1, 1, 1, 2)
    assert found.middle == pytest.approx(2.0)
    assert found.low == found.high == pytest.approx(2.0)  # a single value has no band


def test_degenerate_values_are_averaged_and_counted():
    (found,) = averaged(rows(1.0, 3.0, status="degenerate"), ["layer_index"]).itertuples()
    assert (found.degenerate, found.middle) == (2, 2.0)


def test_degenerate_values_that_have_no_place_are_counted_as_what_keeps_them_from_it():
    (found,) = averaged(rows(1.0, 0.0, status="degenerate"), ["layer_index"], log=True).itertuples()
    assert (found.degenerate, found.too_small) == (1, 1)
    assert count_reasons([found.reasons]).total() == 1


def test_reasons_stay_with_the_place_they_are_of():
    frame = rows(*[1.0] * 4, status="degenerate").assign(
        layer_index=[2.0, math.nan, 0.0, 2.0], reason=["rank", "ties", "rounding", "rank+ties"]
    )
    found = averaged(frame, ["layer_index"])
    assert found["layer_index"].tolist()[:2] == [0.0, 2.0]
    counts = [count_reasons([text]) for text in found["reasons"]]
    assert counts == [{"rounding": 1}, {"rank": 2, "ties": 1}, {"ties": 1}]
