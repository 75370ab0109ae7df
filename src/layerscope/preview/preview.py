"""Looking ahead: everything that can be known of runs before they are started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from layerscope.preview.clashes import clashes, renamed_warnings
from layerscope.preview.contents import Preview
from layerscope.preview.disk import disk_of, disk_problems
from layerscope.preview.findings import merged, problems_of, warnings_of
from layerscope.preview.job_memory import too_small_jobs
from layerscope.preview.jobs import jobs_here, jobs_on_slurm
from layerscope.preview.models import ModelUses, model_preview
from layerscope.preview.question import Answer
from layerscope.preview.run_previews import axes_of, run_previews
from layerscope.preview.standing import standing
from layerscope.preview.tracer import Ask, NoAnswer, Receive, ask_here
from layerscope.run_folder import RunFolder
from layerscope.status import STAGES


def preview(
    runs: Sequence[RunFolder],
    base: Path,
    stages: Sequence[str] = STAGES,
    *,
    slurm: bool = False,
    workers: int = 0,
    ask: Ask = ask_here,
) -> Preview:
    """Say what would be done, and what would go wrong. Nothing is written.

    Parameters
    ----------
    runs : sequence of RunFolder
    base : Path
        The folder that they lie in.
    stages : sequence of str
    slurm : bool
        Plan arrays of jobs; otherwise the runs would be done on this machine.
    workers : int
        How many at once on this machine; 0: one after another in this process.
    ask : callable
        Who answers questions about models (see :mod:`layerscope.preview.tracer`).
    """
    uses = ModelUses()
    places = [uses.add(run) for run in runs]
    receive = ask([use.question() for use in uses.uses])  # answered while we look at the rest
    stand = standing(runs)
    jobs = jobs_on_slurm(base, runs, stages, stand) if slurm else jobs_here(workers)
    traced = _traced(receive)
    models = tuple(model_preview(use, traced.of(place)) for place, use in enumerate(uses.uses))
    views = run_previews(runs, places, stages, stand, traced.answers)
    disk = disk_of(views, base)
    problems = problems_of(runs, places, uses, models, traced.answers)
    warnings = [*warnings_of(runs, uses, models, traced.answers), *renamed_warnings(base, runs, stand.begun)]
    if slurm and "measure" in stages:
        warnings += too_small_jobs(uses, models)
    return Preview(
        base,
        tuple(stages),
        views,
        axes=axes_of(runs),
        models=models,
        arrays=jobs.arrays,
        disk=disk,
        problems=merged((*problems, *clashes(stand.begun), *disk_problems(disk, base))),
        warnings=merged((*warnings, *jobs.left)),
        notes=(*traced.notes, *jobs.notes),
    )


@dataclass(frozen=True)
class _Traced:
    """What torch said of the models, by place; nothing when it is not there, and a note that says so."""

    answers: Mapping[int, Answer]
    notes: tuple[str, ...] = ()

    def of(self, place: int) -> Answer | None:
        return self.answers.get(place)


def _traced(receive: Receive) -> _Traced:
    try:
        return _Traced(dict(enumerate(receive())))
    except NoAnswer as error:
        return _Traced({}, (f"{error}: layers, parameters, memory and disk are not known",))
