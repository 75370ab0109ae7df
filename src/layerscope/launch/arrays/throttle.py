"""The limit on jobs at once, shared over the arrays of a stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from layerscope.launch.arrays.array import After, Array
from layerscope.launch.arrays.routes import ENDED


def throttled(arrays: Sequence[Array]) -> list[Array]:
    """``arrays`` with ``array-parallelism`` holding for all arrays of a stage together.

    Slurm's own limit (``%N``) is one of each array. When there are more arrays than jobs may run at once,
    each runs one job at a time, and some wait for the end of others.
    """
    result = list(arrays)
    kinds = dict.fromkeys((array.stage, array.parallelism) for array in arrays)
    for stage, limit in kinds:
        places = [
            place for place, array in enumerate(arrays) if (array.stage, array.parallelism) == (stage, limit)
        ]
        if limit is not None:
            _share(result, places, limit)
    return result


def _share(arrays: list[Array], places: Sequence[int], limit: int) -> None:
    parts = shares(limit, [len(arrays[place].tasks) for place in places])
    for number, place in enumerate(places):
        after = arrays[place].after
        if number >= limit:
            after = (*after, After(ENDED, array=places[number - limit]))
        arrays[place] = replace(arrays[place], parallelism=parts[number], after=after)


def shares(limit: int, sizes: Sequence[int]) -> list[int]:
    """``limit`` in whole parts, in proportion to ``sizes``: each at least one, and no more than its size."""
    parts = [1] * len(sizes)
    for _ in range(limit - len(sizes)):
        neediest = max(range(len(sizes)), key=lambda place: sizes[place] / parts[place])
        if parts[neediest] >= sizes[neediest]:
            break
        parts[neediest] += 1
    return parts
