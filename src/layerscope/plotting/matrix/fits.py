"""Straight lines through points on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from layerscope.errors import UsageError


class PowerLaw(NamedTuple):
    """``y = coefficient * x ** exponent``, and the share of the variance of ln y that it explains."""

    exponent: float
    coefficient: float
    r2: float
    points: int

    def __str__(self) -> str:
        return f"y = {self.coefficient:.3g} x^{self.exponent:.3g}, R² = {self.r2:.3f}, {self.points} points"


def power_law(x: Sequence[float], y: Sequence[float]) -> PowerLaw:
    """Fit ln y = ln coefficient + exponent ln x by least squares; R² is NaN when all y are equal.

    Raises
    ------
    UsageError
        Fewer than two different x, or a value that has no logarithm.
    """
    one, other = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(np.unique(one)) < 2 or not ((one > 0).all() and (other > 0).all()):
        raise UsageError("a power law needs positive numbers at two different places at least.")
    log_x, log_y = np.log(one), np.log(other)
    exponent, offset = np.polyfit(log_x, log_y, 1)
    spread = float(((log_y - log_y.mean()) ** 2).sum())
    left = float(((log_y - offset - exponent * log_x) ** 2).sum())
    r2 = 1 - left / spread if spread > 0 else float("nan")
    return PowerLaw(float(exponent), float(np.exp(offset)), r2, len(one))
