"""Numbers in 16 bits: small enough for a thousand runs in a file, exact enough to read off a figure."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST = 32767


class Scale(NamedTuple):
    """How codes become numbers again.

    0 is 0; any other code c is sign(c) · ``smallest`` · exp((|c| - 1) · ``step``), so that every number
    has a relative error of at most ``step`` / 2.
    """

    smallest: float
    step: float

    @property
    def digits(self) -> int:
        """Significant digits that can be believed, at most six."""
        return 6 if self.step < 1e-6 else max(1, math.floor(-math.log10(self.step)))


def scale_of(values: NDArray[np.float64]) -> Scale:
    """The finest scale that holds all finite ``values``."""
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    if not len(sizes):
        return Scale(1.0, 0.0)
    smallest, largest = float(sizes.min()), float(sizes.max())
    return Scale(smallest, (math.log(largest) - math.log(smallest)) / (LARGEST - 1))


def encode(values: NDArray[np.float64], scale: Scale) -> NDArray[np.int16]:
    """The codes of ``values``; infinite ones become the largest of their sign, undefined ones 0."""
    codes = np.zeros(len(values), dtype=np.int16)
    finite = np.isfinite(values) & (values != 0)
    sizes = np.log(np.abs(values[finite])) - math.log(scale.smallest)
    places = 1 + np.rint(sizes / scale.step if scale.step else 0 * sizes)
    codes[finite] = np.copysign(np.clip(places, 1, LARGEST), values[finite]).astype(np.int16)
    codes[np.isposinf(values)], codes[np.isneginf(values)] = LARGEST, -LARGEST
    return codes


def decode(codes: NDArray[np.int16], scale: Scale) -> NDArray[np.float64]:
    """What a reader sees; the browser does the same."""
    places = codes.astype(np.float64)
    return np.sign(places) * scale.smallest * np.exp((np.abs(places) - 1) * scale.step)
