"""Slurm's job ids: ``123``, ``123_4``, and whole ranges as ``123_[0-5,9%2]``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

_JOB = re.compile(r"\d+(?:_\d+)?")
_RANGE = re.compile(r"(\d+)_\[([\d,:-]+)(?:%\d+)?\]")
_PIECE = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?")


def array_of(job: str) -> str:
    """The id of the array that a task belongs to; a job of its own is its own."""
    return job.partition("_")[0]


def expanded(job: str) -> list[str]:
    """The ids of all tasks that ``job`` stands for."""
    match = _RANGE.fullmatch(job)
    if match is None:
        return [job]
    return [f"{match[1]}_{task}" for piece in match[2].split(",") for task in _tasks(piece)]


def collapsed(jobs: Iterable[str]) -> list[str]:
    """The same jobs in fewer words: the tasks of one array in one. What is no id is left out."""
    split = sorted(_split(job) for job in set(jobs) if _JOB.fullmatch(job))
    found = []
    for array, members in groupby(split, key=lambda pair: pair[0]):
        tasks = [task for _, task in members]
        if tasks[0] < 0:  # the array as a whole, or a job of its own
            found.append(str(array))
        else:
            found.extend(f"{array}_[{','.join(part)}]" for part in _parts(list(_ranges(tasks))))
    return found


def _tasks(piece: str) -> range:
    match = _PIECE.fullmatch(piece)
    if match is None:
        return range(0)
    return range(int(match[1]), int(match[2] or match[1]) + 1, int(match[3] or 1))


def _split(job: str) -> tuple[int, int]:
    array, _, task = job.partition("_")
    return int(array), int(task or -1)


def _ranges(tasks: Sequence[int]) -> Iterator[str]:
    """Sorted numbers in words: ``0-5``, ``9``."""
    for _, run in groupby(enumerate(tasks), key=lambda pair: pair[1] - pair[0]):
        numbers = [number for _, number in run]
        yield str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}"


def _parts(ranges: list[str], size: int = 200) -> Iterator[list[str]]:
    for start in range(0, len(ranges), size):
        yield ranges[start : start + size]
