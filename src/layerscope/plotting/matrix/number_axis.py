"""Numbers that runs differ in along x, with a place for 0 on a logarithmic axis and for what is not set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from layerscope.plotting.drawing.selection import spread
from layerscope.plotting.matrix.places import plain_text

if TYPE_CHECKING:
    from pandas import Series

MOST_NUMBERS = 10
ALONE = 10.0
"""The step of a logarithmic axis that holds a single number; of a linear one it is 1."""


@dataclass(frozen=True)
class NumberAxis:
    """Where numbers stand along x.

    On a logarithmic axis 0 stands one step left of the smallest number above it, a step being the mean
    distance of neighbours; values that are not set stand one step left of all numbers.
    """

    numbers: tuple[float, ...]
    log: bool = True
    some_not_set: bool = False

    @classmethod
    def of(cls, values: Series[Any], *, log: bool = True) -> NumberAxis:
        """The axis of all these values."""
        numbers = _numbers(values)
        known = np.unique(numbers[np.isfinite(numbers)])
        return cls(tuple(known.tolist()), log, bool(np.isnan(numbers).any()))

    def places(self, values: Series[Any]) -> NDArray[np.float64]:
        """The place of each value."""
        numbers = _numbers(values)
        moved = np.where(numbers > 0, numbers, self._before(self._above)) if self.log else numbers
        return np.where(np.isnan(numbers), self.not_set, moved)

    @property
    def not_set(self) -> float:
        """The place of values that are not set."""
        first = [self._before(self._above)] if self.log and self.numbers and self.numbers[0] <= 0 else []
        return self._before([*first, *self._above] if self.log else self.numbers)

    def finish(self, axes: Axes, label: str) -> None:
        """Scale, ticks and name of the x axis."""
        import pandas as pd

        shown = [self.numbers[place] for place in spread(range(len(self.numbers)), MOST_NUMBERS)]
        places = self.places(pd.Series(shown, dtype=float)).tolist()
        texts = [plain_text(number) for number in shown]
        if self.some_not_set:
            places, texts = [self.not_set, *places], ["not set", *texts]
        axes.set(xscale="log" if self.log else "linear", xlabel=label)
        axes.set_xticks(places, texts)
        axes.xaxis.set_minor_locator(NullLocator())

    @property
    def _above(self) -> list[float]:
        return [number for number in self.numbers if number > 0]

    def _before(self, numbers: list[float] | tuple[float, ...]) -> float:
        """One step left of the first of these."""
        if not numbers:
            return 1.0 if self.log else 0.0
        gaps = max(len(numbers) - 1, 1)
        if self.log:
            return float(numbers[0] / ((numbers[-1] / numbers[0]) ** (1 / gaps) if numbers[1:] else ALONE))
        return float(numbers[0] - ((numbers[-1] - numbers[0]) / gaps if numbers[1:] else 1.0))


def _numbers(values: Series[Any]) -> NDArray[np.float64]:
    return np.asarray(values.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
