"""The arrays of jobs that would be submitted, with the exact text that sbatch would get."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerscope.launch.arrays.array import Array
from layerscope.launch.arrays.plan import plan_arrays
from layerscope.launch.arrays.routes import left_out
from layerscope.launch.slurm.queue import ClusterLimits, limits
from layerscope.launch.submission.array_folder import JOBS
from layerscope.preview.contents import ArrayPreview, Finding
from layerscope.preview.quantities import plural
from layerscope.preview.standing import Standing
from layerscope.run_folder import RunFolder

_GB, _MB = 2**30, 2**20
"""What Slurm means by it."""

_WORDS = {"aftercorr": "job by job after", "afterany": "after the end of"}


@dataclass(frozen=True)
class Jobs:
    """How the runs would be done.

    Parameters
    ----------
    arrays : tuple of ArrayPreview
        In the order in which they would be submitted. What only a submission knows stands in capitals: the
        ids of arrays (``ID_1`` for the first), and in names of folders the time and the digest of the code.
    left : tuple of Finding
        Stages that would not be submitted although they are not done, with the reason.
    notes : tuple of str
    """

    arrays: tuple[ArrayPreview, ...] = ()
    left: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def jobs_here(workers: int) -> Jobs:
    """On this machine, ``workers`` at once; 0: one after another in this process."""
    how = f"up to {workers} runs at once" if workers else "one run after another"
    return Jobs(notes=(f"{how} on this machine; --slurm shows the jobs of a cluster",))


def jobs_on_slurm(base: Path, runs: Sequence[RunFolder], stages: Sequence[str], stand: Standing) -> Jobs:
    """In arrays on a cluster, as long as this one takes them, or as the usual one does."""
    known = limits()
    arrays = plan_arrays(runs, stages, stand.states, known, title=base.absolute().name)
    ids = [f"ID_{number + 1}" for number in range(len(arrays))]
    return Jobs(
        tuple(_array_preview(base, array, ids) for array in arrays),
        tuple(_left_behind(runs, stages, stand)),
        () if known.known else (_assumed(known),),
    )


def _assumed(known: ClusterLimits) -> str:
    return f"no Slurm answers here: arrays are planned for its usual MaxArraySize, {known.max_array_size}"


def _left_behind(runs: Sequence[RunFolder], stages: Sequence[str], stand: Standing) -> Iterable[Finding]:
    pairs = list(zip(runs, stand.states, strict=True))
    if "train" in stages:  # then whatever was never begun is submitted
        begun = set(map(id, stand.begun))
        pairs = [(run, states) for run, states in pairs if id(run) in begun]
    for left in left_out([run for run, _ in pairs], stages, [states for _, states in pairs]):
        yield Finding(f"{left.stage} would not be submitted: {left.reason}", (left.run.name,))


def _array_preview(base: Path, array: Array, ids: Sequence[str]) -> ArrayPreview:
    from layerscope.launch.submission.sbatch import script  # imports submitit, which only this needs
    from layerscope.launch.submission.submit import dependency

    folder, waits = base.absolute() / JOBS, dependency(array.after, ids)
    return ArrayPreview(
        array.name,
        array.stage,
        len(array.tasks),
        len(array.runs),
        _asks(array),
        ", ".join(_waiting(array)),
        waits,
        _gpu_hours(array),
        script(array, folder / f"TIME-{array.stage}", folder / "code" / "DIGEST", waits),
    )


def _gpu_hours(array: Array) -> float:
    """The most that the jobs of an array take in one turn each: the runs of a job share its GPU."""
    return len(array.tasks) * array.resources.gpus_per_run * array.resources.timeout_min / 60


def _asks(array: Array) -> str:
    """What one job asks for: cores and memory for all of its runs."""
    asked = array.resources
    hours, minutes = divmod(asked.timeout_min, 60)
    parts = [
        asked.partition or "",
        plural(asked.gpus_per_run, f"{asked.gpu_type or ''} GPU".strip()) if asked.gpus_per_run else "",
        plural(asked.cpus * array.width, "core"),
        _memory(asked.mem_bytes * array.width) if asked.mem_bytes else "",
        f"{hours}:{minutes:02d} h",
    ]
    return ", ".join(filter(None, parts))


def _memory(count: int) -> str:
    unit, name = (_GB, "GB") if count >= _GB else (_MB, "MB")
    return f"{count / unit:.4g} {name}"


def _waiting(array: Array) -> Iterable[str]:
    for after in array.after:
        other = f"job {after.job}" if after.array is None else f"{after.array + 1}"
        yield f"{_WORDS[after.kind]} {other}"
