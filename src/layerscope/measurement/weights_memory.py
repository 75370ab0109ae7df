"""How much memory the decompositions of weights take."""

from __future__ import annotations

from collections.abc import Sequence

LONG, SQUARE = 3, 6  # copies at a time of a weight, and of the products of its shorter side


class WeightsMemory:
    """Bytes for the singular values and vectors of weights, upper bounds.

    Parameters
    ----------
    shapes : sequence of (int, int)
        Rows and columns of each.
    vectors : int
        How many right singular vectors are kept of each, at most.

    Attributes
    ----------
    kept : int
        What stays of all of them until the measures are computed: values and right singular vectors.
    passing : int
        What the largest takes while it is decomposed.
    """

    def __init__(self, shapes: Sequence[tuple[int, int]], vectors: int) -> None:
        self.kept = sum(8 * (min(shape) + min(*shape, vectors) * shape[1]) for shape in shapes)
        self.passing = max((_passing(min(shape), max(shape)) for shape in shapes), default=0)


def _passing(short: int, long: int) -> int:
    return 8 * short * (LONG * long + SQUARE * short)
