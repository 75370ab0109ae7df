"""How two numbers of many runs go together: Pearson's and Spearman's coefficient with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
"""Points below which nothing is said."""


@dataclass(frozen=True)
class Correlation:
    """Coefficients, their two-sided p-values, and the ends of their intervals; NaN where there is none.

    ``n`` is the number of pairs in which both numbers are finite.
    """

    n: int
    pearson: float
    pearson_low: float
    pearson_high: float
    pearson_p: float
    spearman: float
    spearman_low: float
    spearman_high: float
    spearman_p: float


def correlation(
    x: Sequence[float] | NDArray[Any],
    y: Sequence[float] | NDArray[Any],
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Correlation:
    """Pearson's r and Spearman's rho of the pairs (x, y).

    r = cov(x, y) / (std x · std y), in [-1, 1]; rho is r of the ranks (ties share their mean rank). The
    intervals are percentiles of both over seeded bootstrap resamples of the pairs (Efron 1979, Ann. Statist.
    7(1)); resamples in which one number does not vary are left out.

    Parameters
    ----------
    x, y
        (n,) numbers; pairs with a value that is not finite are left out.
    level
        Of the intervals.
    """
    one, other = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    finite = np.isfinite(one) & np.isfinite(other)
    one, other = one[finite], other[finite]
    if len(one) < FEWEST or np.ptp(one) == 0 or np.ptp(other) == 0:
        return Correlation(len(one), *[float("nan")] * 8)
    drawn = np.random.default_rng(seed).integers(len(one), size=(resamples, len(one)))
    tails = (50 * (1 - level), 50 * (1 + level))
    numbers: list[float] = []
    for prepare in (np.asarray, _ranks):
        found = float(_rowwise(prepare(one[None]), prepare(other[None]))[0])
        low, high = _interval(_rowwise(prepare(one[drawn]), prepare(other[drawn])), tails)
        numbers += [found, low, high, _p_value(found, len(one))]
    return Correlation(len(one), *numbers)


def _p_value(r: float, n: int) -> float:
    """Of no correlation, from Student's t with n - 2 degrees of freedom."""
    from scipy import stats

    if abs(r) >= 1:
        return 0.0
    return float(2 * stats.t.sf(abs(r) * np.sqrt((n - 2) / (1 - r * r)), n - 2))


def _ranks(values: NDArray[Any]) -> NDArray[Any]:
    from scipy import stats

    ranks: NDArray[Any] = stats.rankdata(values, axis=1)
    return ranks


def _rowwise(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Pearson's r of each row; NaN where a row does not vary."""
    x = x - x.mean(axis=1, keepdims=True)
    y = y - y.mean(axis=1, keepdims=True)
    sizes = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found: NDArray[Any] = np.where(sizes > 0, (x * y).sum(axis=1) / sizes, np.nan)
    return found


def _interval(values: NDArray[Any], tails: tuple[float, float]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.percentile(known, tails)
    return float(low), float(high)
