"""Runs → arrays of jobs on Slurm: what is left is submitted; it can be called again at any time."""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from layerscope.claim import waiting
from layerscope.errors import RunFolderError
from layerscope.launch.arrays.array import After, Array
from layerscope.launch.arrays.plan import plan_arrays
from layerscope.launch.arrays.routes import left_out
from layerscope.launch.arrays.workload import Workload
from layerscope.launch.errors import LaunchError
from layerscope.launch.renamed import renamed, renamed_text
from layerscope.launch.slurm.environment import clean_environment, inside_job
from layerscope.launch.slurm.queue import limits
from layerscope.launch.states.stage_states import StageState, stage_states
from layerscope.launch.submission.array_folder import JOBS, ArrayFolder, arrays_in_queue
from layerscope.launch.submission.queued import mark_queued
from layerscope.launch.submission.refusal import refused
from layerscope.launch.submission.snapshot import Snapshot, take_snapshot
from layerscope.launch.submission.submissions import Submission, SubmittedArray
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES

logger = logging.getLogger(__name__)

PATIENCE = 300.0
"""Seconds to wait for another submission of the same runs to end."""

Watch = Callable[[SubmittedArray], None]
_States = Mapping[str, StageState]


def submit(
    base: Path,
    runs: Sequence[RunFolder],
    stages: Iterable[str] = STAGES,
    *,
    again: Collection[str] = (),
    patience: float = PATIENCE,
    watch: Watch = lambda _: None,
) -> Submission:
    """Submit what is left of ``stages``: one array each, with dependencies between them.

    What is done, queued or running is not submitted again, whoever submitted it and however that ended.

    Parameters
    ----------
    base : Path
        The folder that the runs lie in; two submissions of the same base follow each other.
    again : collection of str
        States that are tried again, and nothing else: only runs of which a stage is in one of them.
    patience : float
        Seconds to wait for another one.
    watch : callable
        Told of each array that Slurm took.

    Raises
    ------
    LaunchError
        There is no Slurm here, and nothing was written. Or it refused an array: what was submitted before it
        stays, and another call submits the rest.
    RunFolderError
        A folder holds a run of another config, or somebody else has been submitting all the while.
    """
    wanted = tuple(stages)
    if shutil.which("sbatch") is None:
        raise LaunchError("there is no sbatch here: this has to run on a login node. Nothing was submitted.")
    with submitting(base, patience):
        if inside_job():
            logger.warning("submitting from inside a Slurm job: its own settings are not passed on")
        take_over(base)
        _refuse_clashes(runs)
        states: Sequence[_States] = stage_states(runs, STAGES)
        if again:
            runs, states = _to_try_again(runs, states, wanted, again)
        if found := renamed(base, [run for run in runs if not run.folder.exists()], runs):
            logger.warning(renamed_text(found))
        arrays = plan_arrays(runs, wanted, states, limits(), title=base.absolute().name)
        _warn_of_old_measurements(runs, states, arrays)
        submission = Submission(base, left=left_out(runs, wanted, states))
        if arrays:
            _submit_all(submission, arrays, watch)
    return submission


@contextlib.contextmanager
def submitting(base: Path, patience: float) -> Iterator[None]:
    """Hold ``base`` against other submissions."""
    with waiting(base / JOBS, patience):
        yield


def dependency(after: Sequence[After], ids: Sequence[str]) -> str:
    """What an array waits for, as sbatch takes it; ``ids`` are those of the arrays before it in the plan."""
    return ",".join(f"{one.kind}:{one.job if one.array is None else ids[one.array]}" for one in after)


def take_over(base: Path) -> None:
    """Look after arrays whose submission was cut short between the call of sbatch and the notes about it.

    Raises
    ------
    LaunchError
        Slurm does not say whether it got them.
    """
    unfinished = list(ArrayFolder.unfinished(base))
    known = arrays_in_queue() if unfinished else {}
    if known is None:
        raise LaunchError(
            "an earlier submission was cut short, and squeue does not say whether its jobs are there; "
            "nothing was submitted. Run the same command again when squeue works."
        )
    for folder in unfinished:
        job = known.get(folder.path, "")
        folder.note(job)
        if job:
            mark_queued(folder.workload, job)


def _submit_all(submission: Submission, arrays: Sequence[Array], watch: Watch) -> None:
    models = {run.config.model.model_name for array in arrays for run in array.runs}
    snapshot = take_snapshot(submission.base, models)
    submission.code, submission.digest = str(snapshot.path), snapshot.digest
    for run in {run.folder: run for array in arrays for run in array.runs}.values():
        run.claim_config()  # so that a change of the file afterwards changes no job
    ids: list[str] = []
    with clean_environment():
        for array in arrays:
            try:
                sent = _send(submission.base, array, dependency(array.after, ids), snapshot)
            except (RuntimeError, OSError) as error:  # submitit's, and those of the system
                raise refused(error, array, arrays, submission) from error
            ids.append(sent.job)
            submission.add(sent)
            watch(sent)


def _send(base: Path, array: Array, waits: str, snapshot: Snapshot) -> SubmittedArray:
    from layerscope.launch.submission.sbatch import ArrayExecutor

    folder = ArrayFolder.create(base, array.stage)
    workload = Workload.of(array, snapshot.path, snapshot.digest)
    workload.write(folder.path)
    executor = ArrayExecutor(folder.path, array, snapshot.path, waits)
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # the complaint is in the exception, too
            job = executor.send()
    except RuntimeError:
        job = _taken_after_all(folder)
        if not job:
            raise
    folder.note(job)
    mark_queued(workload, job)
    return SubmittedArray(
        job, array.name, array.stage, len(array.tasks), len(array.runs), waits, folder.path.name
    )


def _taken_after_all(folder: ArrayFolder) -> str:
    """The id of an array that Slurm took although sbatch failed (answers get lost); "" if it did not."""
    known = arrays_in_queue()
    if known is not None and folder.path not in known:
        folder.note("")
    return (known or {}).get(folder.path, "")


def _to_try_again(
    runs: Sequence[RunFolder], states: Sequence[_States], stages: Collection[str], again: Collection[str]
) -> tuple[list[RunFolder], list[_States]]:
    """The runs of which one of ``stages`` is in a state of ``again``, as if that stage were new.

    Nothing is written: the verdict stays until Slurm has taken a job for the stage.
    """
    taken: list[tuple[RunFolder, _States]] = []
    for run, stands in zip(runs, states, strict=True):
        chosen = [stage for stage in stages if stands[stage].state in again]
        new = {stage: replace(stands[stage], state="new", reason="", job="") for stage in chosen}
        if chosen:
            taken.append((run, {**stands, **new}))
    return [run for run, _ in taken], [stands for _, stands in taken]


def _warn_of_old_measurements(
    runs: Iterable[RunFolder], states: Iterable[_States], arrays: Iterable[Array]
) -> None:
    """Say when jobs that are on their way measure something else than the config asks for by now."""
    anew = {run.folder for array in arrays if array.stage == "measure" for run in array.runs}
    waiting_or_at_work = (
        run
        for run, stands in zip(runs, states, strict=True)
        if stands["measure"].state in ("queued", "running") and run.folder not in anew
    )
    if behind := [run.name for run in waiting_or_at_work if not run.measures_alike(run.folder)]:
        logger.warning(
            "%d run(s), %s first, are being measured as the config said when they were submitted; run the "
            "same command again when they have ended",
            *(len(behind), behind[0]),
        )


def _refuse_clashes(runs: Iterable[RunFolder]) -> None:
    """Compare every run with its folder, also those that are done or on their way with another config."""
    if wrong := [reason for run in runs if not run.recorded and (reason := _refusal(run))]:
        more = f"\n… and {len(wrong) - 3} more of the same kind" if len(wrong) > 3 else ""
        raise RunFolderError("\n".join(wrong[:3]) + f"{more}\nNothing was submitted.")


def _refusal(run: RunFolder) -> str:
    """Why a run cannot have its folder; "" when it can."""
    try:
        run.refuse_another_config()
    except RunFolderError as error:
        return str(error)
    return ""
