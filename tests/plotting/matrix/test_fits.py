from __future__ import annotations

import math

import pytest

from layerscope.errors import UsageError
from layerscope.plotting.matrix.fits import power_law


def test_points_of_a_power_law_give_it_back():
    x = [1, 2, 10, 50, 1000]
    law = power_law(x, [3 * value**-0.25 for value in x])
    assert (law.exponent, law.coefficient, law.r2) == pytest.approx((-0.25, 3.0, 1.0), rel=1e-12)
    assert law.points == 5


def test_r2_is_the_square_of_the_correlation_of_the_logarithms():
    x, y = [1, 10, 100], [1, 10, 10]
    assert power_law(x, y).r2 == pytest.approx(0.75)  # of (0, 0), (1, 1), (2, 1)
    assert power_law(x, y).exponent == pytest.approx(0.5)


def test_equal_values_have_no_variance_to_explain():
    law = power_law([1, 2], [5, 5])
    assert law.exponent == pytest.approx(0, abs=1e-12)
    assert math.isnan(law.r2)


@pytest.mark.parametrize(("x", "y"), [([1, 1], [2, 3]), ([0, 1], [1, 2]), ([1, 2], [1, -1])])
def test_what_has_no_line_is_refused(x, y):
    with pytest.raises(UsageError, match="positive numbers at two different places"):
        power_law(x, y)
