"""CDNV: how much two classes vary, compared with how far apart they lie, over all pairs of classes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from layerscope.functional.between import EPS, centered
from layerscope.functional.pairs import TILE, pair_blocks, pairs_of, square_distances
from layerscope.functional.traces import check_variances

# Beyond so many classes the K(K-1)/2 pairs are not kept, and products of clear pairs are formed in float32.
MEDIAN_MAX_CLASSES = 4096
CLEAR = 0.05  # squared distance, relative to the squared lengths, from which float32 keeps five digits of it
FEW = 0.02  # share of a block whose pairs are better decided again one by one than all of them
TINY = 1e-24  # squared distance, relative to the longest, below which float32 is not trusted at all


def cdnv(variances: Tensor, means: Tensor, *, exponent: float = 1.0) -> dict[str, float]:
    r"""Class-distance normalised variance over the pairs of classes.

    :math:`V_{ij} = (v_i + v_j) / (2 |\mu_i - \mu_j|^{2\beta})` with :math:`v_c = \mathrm{tr}\,\Sigma_c`.

    Parameters
    ----------
    variances : Tensor (K,)
        Mean squared distance of the samples of a class to their mean.
    means : Tensor (K, D)
    exponent : float
        :math:`\beta`; 1 is the definition, others are those of arXiv:2405.17767.

    Returns
    -------
    dict
        ``mean``, ``median``, ``max`` over i < j, in [0, inf]; ``infinite``: how many pairs are; and
        ``coincident``: the number of pairs left out because neither means nor samples differ. Means closer
        than the rounding of float64 coincide; a pair of them with varying samples is ``inf``. All NaN with
        less than two classes. Median is NaN beyond 4096 classes; from there on products are formed in
        float32, but for pairs close to each other compared with their distance from the centre: the mean
        is then right to about 1e-7, every pair to 1e-5.

    Raises
    ------
    ValueError
        Not one variance per mean, or numbers that are not finite.

    References
    ----------
    Galanti, György, Hutter (2022), arXiv:2112.15121.
    """
    check_variances(variances, len(means))
    tally = _Tally(len(means))
    for values, unit in _Pairs(variances, means, exponent).tiles():
        tally.add(values, unit)
    return tally.compute()


def cdnv_pairs(variances: Tensor, means: Tensor, *, exponent: float = 1.0) -> Tensor:
    """:func:`cdnv` of every pair as a symmetric matrix (K, K); the diagonal and pairs left out are NaN."""
    check_variances(variances, len(means))
    found = torch.full((len(means), len(means)), math.nan, dtype=torch.float64, device=means.device)
    pairs = _Pairs(variances, means, exponent)
    for rows, columns in pair_blocks(len(means)):
        values = pairs_of(pairs.block(rows, columns), rows, columns)
        block = found[rows, columns]
        inside = torch.ones_like(block, dtype=torch.bool)
        block[inside.triu(diagonal=1) if rows == columns else inside] = values
    return torch.where(torch.ones_like(found, dtype=torch.bool).triu(), found, found.T)


class _Pairs:
    """V_ij of the pairs i < j, a block at a time; NaN where nothing differs."""

    def __init__(self, variances: Tensor, means: Tensor, exponent: float) -> None:
        self._variances, self._exponent = variances.double(), exponent
        self._points = centered(means)[0]
        # Squared distance that rounding of a mean can make.
        self._floor = (4 * EPS) ** 2 * means.double().square().sum(dim=1)

    def tiles(self) -> Iterator[tuple[Tensor, float]]:
        """Values and their unit; pairs that come again on their own are 0 in their block."""
        classes = len(self._points)
        single = _Single.of(self._variances, self._points) if classes > MEDIAN_MAX_CLASSES else None
        worth = 2  # blocks that float32 served, less those that it did not
        for rows, columns in pair_blocks(classes):
            if single is None or rows == columns or self._exponent != 1.0:
                yield pairs_of(self.block(rows, columns), rows, columns), 1.0
                continue
            values, near = single.block(rows, columns)
            served = int(near.sum()) <= FEW * near.numel()
            worth += 1 if served else -1
            if not served:
                single = single if worth > 0 else None
                yield self.block(rows, columns), 1.0
                continue
            yield values, single.unit
            for some in torch.split(near.nonzero(), max(1, TILE // self._points.shape[1])):
                yield self.some(some[:, 0] + rows.start, some[:, 1] + columns.start), 1.0

    def block(self, rows: slice, columns: slice) -> Tensor:
        """Values (rows, columns) in float64."""
        squares = square_distances(self._points[rows], self._points[columns])
        rounding = torch.maximum(self._floor[rows].unsqueeze(1), self._floor[columns])
        spread = (self._variances[rows].unsqueeze(1) + self._variances[columns]) / 2
        return self._ratio(spread, squares, rounding)

    def some(self, left: Tensor, right: Tensor) -> Tensor:
        """Values (m,) of pairs of classes (m,) and (m,), in float64."""
        squares = (self._points[left] - self._points[right]).square().sum(dim=1)
        rounding = torch.maximum(self._floor[left], self._floor[right])
        return self._ratio((self._variances[left] + self._variances[right]) / 2, squares, rounding)

    def _ratio(self, spread: Tensor, squares: Tensor, rounding: Tensor) -> Tensor:
        squares.masked_fill_(squares <= rounding, 0.0)
        if self._exponent != 1.0:
            squares.pow_(self._exponent)
        return spread.div_(squares)


class _Single:
    """V_ij in float32, in units of the largest variance over the largest squared length.

    Parameters
    ----------
    variances : Tensor (K,)
    points : Tensor (K, D)
    length, spread : float
        Positive: the longest point and the largest variance.
    """

    def __init__(self, variances: Tensor, points: Tensor, length: float, spread: float) -> None:
        self.unit = spread / length**2
        self._points = (points / length).float()
        self._squares = (points / length).square().sum(dim=1).float()
        self._halves = (variances / spread / 2).float()

    @classmethod
    def of(cls, variances: Tensor, points: Tensor) -> _Single | None:
        """None where there is no unit, since nothing varies or all means coincide."""
        length, spread = float(torch.linalg.vector_norm(points, dim=1).max()), float(variances.max())
        return cls(variances, points, length, spread) if length > 0 and spread > 0 else None

    def block(self, rows: slice, columns: slice) -> tuple[Tensor, Tensor]:
        """Values (rows, columns), 0 for pairs that are not clear of rounding; and which these are."""
        scale = self._squares[rows].unsqueeze(1) + self._squares[columns]
        squares = torch.addmm(scale, self._points[rows], self._points[columns].T, alpha=-2.0)
        near = squares <= scale.mul_(CLEAR).clamp_(min=TINY)
        values = (self._halves[rows].unsqueeze(1) + self._halves[columns]).div_(squares)
        return values.masked_fill_(near, 0.0), near


class _Tally:
    """Sum, largest and number of the values of all pairs of K classes."""

    def __init__(self, classes: int) -> None:
        self._keeps = classes <= MEDIAN_MAX_CLASSES
        self._pairs = classes * (classes - 1) // 2
        self._kept: list[Tensor] = []
        self._total, self._largest, self._infinite, self._coincident = 0.0, 0.0, 0, 0

    def add(self, values: Tensor, unit: float) -> None:
        """Add values in multiples of a unit; none is negative."""
        if not values.numel():
            return
        total = float(values.sum(dtype=torch.float64))
        if not math.isfinite(total):
            finite, infinite = values[values.isfinite()], int(values.isinf().sum())
            self._infinite += infinite
            self._coincident += values.numel() - finite.numel() - infinite
            values, total = finite, float(finite.sum())
        self._total += unit * total
        self._largest = max(self._largest, unit * float(values.max()) if values.numel() else 0.0)
        if self._keeps:
            self._kept.append(values.flatten())

    def compute(self) -> dict[str, float]:
        """What :func:`cdnv` returns."""
        counts = {"infinite": self._infinite, "coincident": self._coincident}
        finite = self._pairs - self._infinite - self._coincident
        if finite + self._infinite == 0:
            return {"mean": math.nan, "median": math.nan, "max": math.nan} | counts
        median = math.nan
        if self._keeps:
            infinite = self._kept[0].new_full((self._infinite,), math.inf)
            median = _median(torch.cat([*self._kept, infinite]))
        mean, largest = self._total / max(finite, 1), self._largest
        return {
            "mean": math.inf if self._infinite else mean,
            "median": median,
            "max": math.inf if self._infinite else largest,
            **counts,
        }


def _median(values: Tensor) -> float:
    """The middle value, or the mean of the two middle ones."""
    upper = len(values) // 2
    if values.device.type == "cpu":  # a fiftieth of the time of sorting
        parted = np.partition(values.numpy(), upper)
        high, low = (
            float(parted[upper]),
            float(parted[:upper].max() if len(parted) % 2 == 0 else parted[upper]),
        )
    else:
        ordered = values.sort().values
        low, high = ordered[[(len(values) - 1) // 2, upper]].tolist()
    return low if low == high else (low + high) / 2
