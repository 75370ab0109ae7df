"""One CSV of each of many runs as one frame, and what is missing or damaged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from layerscope.errors import LayerscopeError, Problem, UsageError
from layerscope.results.gather import Gathered, Layout, gather
from layerscope.results.known_runs import KnownRuns
from layerscope.results.rows import EPOCH

if TYPE_CHECKING:
    from pandas import DataFrame

Epochs = frozenset[int]
Wanted = Mapping[int, "Epochs | None"]
"""Number of a run → the epochs wanted of it; None is all."""

Read = Callable[[Path, "Epochs | None"], "bytes | None"]
"""Folder of a run and epochs → the rows of these as CSV; None when the run has none at all."""

_READERS = 8
_TRIED = 20
_SLOW_SECONDS = 0.005
"""Time per run from which a file system is slow to answer, so that it pays to ask it many things at once."""

_MOST_NAMED = 5


class Collected(NamedTuple):
    """The rows, each after the name and the axes of its run; and what was left out."""

    frame: DataFrame
    problems: list[Problem]


def collect(
    what: str, runs: KnownRuns, wanted: Wanted, read: Read, layout: Layout, columns: Sequence[str]
) -> Collected:
    """The rows of ``what`` of the wanted runs.

    Parameters
    ----------
    columns
        Only these, and those of the run; none named is all.

    Raises
    ------
    UsageError
        Not one run has any.
    """
    problems: list[Problem] = []
    asked: set[int] = set()

    def texts() -> Iterator[tuple[int, bytes]]:
        for number, answer in _answers(what, runs, wanted, read):
            if isinstance(answer, bytes):
                asked.add(number)
                yield number, answer
            else:
                problems.append(answer)

    gathered = gather(texts(), layout, (EPOCH, *columns) if columns else ())
    problems += [_problem(runs, number, what, why) for number, why in gathered.damaged.items()]
    problems += _gaps(what, runs, {number: wanted[number] for number in asked}, gathered)
    if gathered.frame.empty:
        raise UsageError(f"none of {len(wanted)} runs below {runs.base} has {what}: {named(problems)}")
    return Collected(_with_axes(runs, gathered), problems)


def named(problems: list[Problem]) -> str:
    """The first of them, and how many more there are."""
    more = f"; and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
    return "; ".join(map(str, problems[:_MOST_NAMED])) + more


def _answers(what: str, runs: KnownRuns, wanted: Wanted, read: Read) -> Iterator[tuple[int, bytes | Problem]]:
    """The text of each wanted run, or why there is none."""

    def answer(number: int) -> bytes | Problem:
        try:
            text = read(runs.folders[number], wanted[number])
        except LayerscopeError as error:
            return _problem(runs, number, what, str(error))
        except OSError as error:
            return _problem(runs, number, what, f"cannot be read ({error.strerror})")
        return _problem(runs, number, what, "not there") if text is None else text

    first, rest = list(wanted)[:_TRIED], list(wanted)[_TRIED:]
    began = time.perf_counter()
    yield from ((number, answer(number)) for number in first)
    if time.perf_counter() - began < _SLOW_SECONDS * len(first):
        yield from ((number, answer(number)) for number in rest)
    else:
        with ThreadPoolExecutor(_READERS) as readers:
            yield from zip(rest, readers.map(answer, rest), strict=True)


def _gaps(what: str, runs: KnownRuns, wanted: Wanted, gathered: Gathered) -> Iterator[Problem]:
    """The wanted epochs of which intact tables have no row."""
    asked = {number: epochs for number, epochs in wanted.items() if epochs is not None}
    if not asked:
        return
    epochs = gathered.frame[EPOCH] if not gathered.frame.empty else ()
    there = set(zip(gathered.runs.tolist(), epochs, strict=True))
    for number in asked.keys() - gathered.damaged.keys():
        missing = [str(epoch) for epoch in sorted(asked[number]) if (number, epoch) not in there]
        if missing:
            yield _problem(runs, number, what, f"no rows of epoch {', '.join(missing)}")


def _with_axes(runs: KnownRuns, gathered: Gathered) -> DataFrame:
    import pandas as pd

    axes = runs.frame.take(gathered.runs).reset_index(drop=True)
    return pd.concat([axes, gathered.frame], axis=1)


def _problem(runs: KnownRuns, number: int, what: str, why: str) -> Problem:
    return Problem(str(runs.folders[number]), 0, f"{what}: {why}")
