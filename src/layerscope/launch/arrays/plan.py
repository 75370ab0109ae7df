"""Which arrays of jobs bring runs to their end, and which waits for which. Asks nobody, writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from layerscope.launch.arrays.array import After, Array
from layerscope.launch.arrays.routes import CORRESPONDING, Route, Step, route
from layerscope.launch.arrays.throttle import throttled
from layerscope.launch.slurm.queue import ClusterLimits
from layerscope.launch.states.stage_states import StageState
from layerscope.run_folder import RunFolder

T = TypeVar("T")


@dataclass(frozen=True)
class _Part:
    """The jobs of one array of each stage."""

    indices: tuple[int, ...]
    tasks: tuple[tuple[RunFolder, ...], ...]


def plan_arrays(
    runs: Sequence[RunFolder],
    stages: Iterable[str],
    states: Sequence[Mapping[str, StageState]],
    limits: ClusterLimits,
    *,
    title: str = "layerscope",
) -> list[Array]:
    """The arrays that do what is left of ``stages``, in the order in which they are to be submitted.

    Runs that ask for the same and have the same stages left share arrays: one for each stage, as far as
    ``MaxArraySize`` lets, with the runs at the same indices in each. Measuring starts for each task when its
    own training has succeeded; figures are drawn when all measuring of their array has ended.

    Parameters
    ----------
    states : sequence of mapping
        How each stage of each run stands, earlier ones than ``stages`` too.
    limits : ClusterLimits
    title : str
        What the names of the jobs begin with.
    """
    wanted = tuple(stages)
    routes = [route(run, state, wanted) for run, state in zip(runs, states, strict=True)]
    arrays: list[Array] = []
    for steps, members in _grouped(routes).items():
        for part in _parts(steps, members, max(1, limits.max_array_size)):
            arrays += _arrays(steps, part, title, len(arrays))
    return throttled(arrays)


def _grouped(routes: Iterable[Route]) -> dict[tuple[Step, ...], list[Route]]:
    groups: dict[tuple[Step, ...], list[Route]] = {}
    for one in routes:
        if one.steps:
            groups.setdefault(one.steps, []).append(one)
    return groups


def _parts(steps: Sequence[Step], members: Sequence[Route], most: int) -> Iterator[_Part]:
    """The jobs of a group of runs with their indices, in arrays of at most ``most``."""
    if steps[0].job and steps[0].kind == CORRESPONDING:
        yield _at_the_same_indices(members)
        return
    packed = batched([one.run for one in members], steps[0].resources.runs_per_job)
    for tasks in batched(list(packed), most):
        yield _Part(tuple(range(len(tasks))), tasks)


def _at_the_same_indices(members: Iterable[Route]) -> _Part:
    """Jobs where those are that they wait for, in an array that was submitted before."""
    tasks: dict[int, list[RunFolder]] = {}
    for one in members:
        tasks.setdefault(one.index or 0, []).append(one.run)
    indices = tuple(sorted(tasks))
    return _Part(indices, tuple(tuple(tasks[index]) for index in indices))


def _arrays(steps: Sequence[Step], part: _Part, title: str, first: int) -> list[Array]:
    place = {step.stage: first + number for number, step in enumerate(steps)}
    return [
        Array(
            step.stage,
            part.tasks,
            step.resources,
            f"{title}.{step.stage}",
            part.indices,
            _after(step, place),
            step.resources.array_parallelism,
        )
        for step in steps
    ]


def _after(step: Step, place: Mapping[str, int]) -> tuple[After, ...]:
    if step.after:
        return (After(step.kind, array=place[step.after]),)
    return (After(step.kind, job=step.job),) if step.job else ()


def batched(items: Sequence[T], size: int) -> Iterator[tuple[T, ...]]:
    """``items`` in their order, ``size`` at a time."""
    for start in range(0, len(items), size):
        yield tuple(items[start : start + size])
