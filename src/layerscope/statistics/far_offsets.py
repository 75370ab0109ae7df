"""Offsets so long that rounding of their products would cover directions in which samples vary little."""

from __future__ import annotations

import math

from torch import Tensor

from layerscope.statistics.class_squares import ClassSquares

FAR = 64.0  # squared length of an offset, relative to most classes', from which its products are float64


class FarOffsets:
    """Tells offsets that are far longer than those of most classes.

    They come from a reference point that is an outlier. What is usual is judged anew whenever twice as many
    samples were seen, and by every batch until something varies.
    """

    def __init__(self) -> None:
        self._from, self._judged_for = math.inf, 0  # a length; how many more samples it holds for

    def rows(self, lengths: Tensor, squares: ClassSquares, counts: Tensor) -> Tensor | None:
        """Which offsets of a batch are far (B,), if any are.

        Parameters
        ----------
        lengths : Tensor (B,)
        squares : ClassSquares
        counts : Tensor (K,)
            Samples of each class; these and the squares with the batch.
        """
        self._judged_for -= len(lengths)
        if self._judged_for < 0:
            totals = squares.totals
            varying = totals > 0
            usual = (totals[varying] / counts[varying]).median()  # NaN where nothing varies
            self._from = math.sqrt(FAR * float(usual))
            self._judged_for = 0 if math.isnan(self._from) else int(counts.sum())
        far = lengths > self._from
        return far if bool(far.any()) else None

    def forget(self) -> None:
        """Judge anew with the next batch."""
        self._judged_for = 0
