"""Removing what finished runs do not need any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from layerscope.claim import exclusive
from layerscope.errors import LayerscopeError
from layerscope.files import storage_errors
from layerscope.launch.cleaning.jobs import clean_jobs, plan_jobs
from layerscope.launch.cleaning.keep_policy import KeepPolicy
from layerscope.launch.cleaning.removal import Removal, size_of
from layerscope.launch.following.standing import States
from layerscope.launch.states.stage_states import stage_states
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES

_RESUME = ("resume.pt", "resume_previous.pt")


def plan_cleaning(base: Path, runs: Sequence[RunFolder], policy: KeepPolicy) -> list[Removal]:
    """What would go: of each run, then of the jobs in ``base``. Nothing is touched.

    Runs that wait, work, or are not trained to their end are left alone.
    """
    found = []
    if policy.checkpoints or policy.resume:
        states = stage_states(runs)
        found += [_plan(run, stands, policy) for run, stands in zip(runs, states, strict=True)]
    return [*found, plan_jobs(base)] if policy.jobs else found


def clean(base: Path, runs: Sequence[RunFolder], policy: KeepPolicy) -> list[Removal]:
    """Remove it; what went, and what was left alone and why.

    Checkpoints stay noted in the run's manifest, so that nobody trains them anew.
    """
    found = []
    if policy.checkpoints or policy.resume:
        states = stage_states(runs)
        found += [_cleaned(run, stands, policy) for run, stands in zip(runs, states, strict=True)]
    return [*found, clean_jobs(plan_jobs(base))] if policy.jobs else found


def _cleaned(run: RunFolder, states: States, policy: KeepPolicy) -> Removal:
    plan = _plan(run, states, policy)
    if not plan.files:
        return plan
    try:
        with exclusive(run.folder):
            return _remove(run, states, policy)
    except LayerscopeError as error:  # somebody took it meanwhile, or it cannot be written
        return Removal(run.name, left=str(error))


def _plan(run: RunFolder, states: States, policy: KeepPolicy) -> Removal:
    busy = [stage for stage in STAGES if states[stage].state in ("queued", "running")]
    if busy:
        return Removal(run.name, left=f"{busy[0]} is {states[busy[0]].state}")
    if states["train"].state != "done":
        return Removal(run.name, left="its training is not finished")
    try:
        return _removable(run, policy)
    except LayerscopeError as error:  # a damaged list of checkpoints or tables
        return Removal(run.name, left=str(error))


def _removable(run: RunFolder, policy: KeepPolicy) -> Removal:
    entries, folder = run.checkpoints.entries(), run.checkpoints.folder
    kept = {run.config.optimizer.epochs, run.checkpoints.best()}
    epochs = policy.removable(run.checkpoints.epochs(), kept)
    unmeasured = run.pending_measures() if epochs else {}
    if policy.measured:
        epochs = tuple(epoch for epoch in epochs if epoch not in unmeasured)
    left_behind = [epoch for epoch, entry in entries.items() if entry.released]  # by who was interrupted
    files = [folder / entries[epoch].file for epoch in (*epochs, *left_behind)]
    files += [folder / name for name in _RESUME] if policy.resume else []
    there = tuple(path for path in files if path.exists())
    return Removal(
        run.name, there, size_of(there), epochs, tuple(epoch for epoch in epochs if epoch in unmeasured)
    )


def _remove(run: RunFolder, states: States, policy: KeepPolicy) -> Removal:
    """Remove what can go now that the run is ours; measured runs stay known as such."""
    if not run.trained:
        return Removal(run.name, left="its training is not finished")
    removal = _removable(run, policy)
    if removal.epochs:
        run.checkpoints.release(removal.epochs)
    for path in removal.files:
        with storage_errors(path):
            path.unlink(missing_ok=True)
    _confirm(run, states)
    return removal


def _confirm(run: RunFolder, states: States) -> None:
    """Note again that the run is measured: what the note was made from is not the same any more."""
    file = run.status("measure")
    status = file.read()
    if states["measure"].state == "done" and status is not None and status.state == "done":
        file.write(replace(status, key=run.stage_key("measure")))
