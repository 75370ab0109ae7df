"""What can be asked for at the command line: each command does one thing to an experiment and says so."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layerscope.config.screening import Screening
from layerscope.console import Console
from layerscope.errors import LayerscopeError
from layerscope.experiment import Experiment

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from layerscope.plotting.drawing.options import Look
    from layerscope.preview.tracer import Ask


@dataclass(frozen=True)
class Request:
    """What a command is about, and how it is to be carried out.

    Parameters
    ----------
    whole : Experiment
        What the file describes.
    chosen : Experiment
        The runs of it that are meant.
    stages : tuple of str
    device : str
    slurm : bool
        As jobs on Slurm.
    workers : int, "auto" or None
        In so many worker processes; None: in this one.
    json : bool
        Answer for a program, not for a person.
    ask : callable or None
        Who answers a preview's questions about models; None: this process.
    """

    whole: Experiment
    chosen: Experiment
    stages: tuple[str, ...]
    device: str = "auto"
    slurm: bool = False
    workers: int | Literal["auto"] | None = None
    json: bool = False
    ask: Ask | None = None


def work_here(request: Request, console: Console) -> int:
    """Do the stages in this process, one run after another."""
    works = {stage: console.work(stage, device=request.device) for stage in request.stages}
    outcomes = request.chosen.perform(works, watch=console.outcome)
    drawn = _draw_together(request, console)
    console.summary(request.chosen)
    return 1 if not drawn or any(outcome.error is not None for outcome in outcomes) else 0


def work_in_queue(request: Request, console: Console) -> int:
    """Do the stages in worker processes, a few runs at a time."""
    finished = request.chosen.run_queue(
        request.stages, workers=request.workers or 1, device=request.device, watch=console.finished
    )
    drawn = _draw_together(request, console)
    console.summary(request.chosen)
    return 0 if drawn and all(one.state == "done" for one in finished) else 1


def _draw_together(request: Request, console: Console) -> bool:
    """Draw the figures of all runs, once the runs are through; False when that went wrong."""
    if "plot" not in request.stages or len(request.whole.runs) < 2:
        return True
    try:
        console.drawn(request.whole.plot_matrix())
    except LayerscopeError as error:
        console.failed("figures of all runs", error)
        return False
    return True


def draw(request: Request, console: Console, *, names: Sequence[str], **look: Unpack[Look]) -> int:
    """Draw just these figures, up to date or not; without names, or for ``all``, all that there are.

    1 when one that is named was not drawn, of any run.
    """
    from layerscope.plotting.listing import chosen_figures, means_all
    from layerscope.plotting.plotter import NCPlotter

    chosen = chosen_figures(names)
    if means_all(names):
        names = ()
    shown = partial(_draw, console, **look)
    done = [
        shown(run.name, NCPlotter(run.folder, run).plot, chosen.of_one if names else None)
        for run in (request.chosen.runs if chosen.of_one else ())
    ]
    if chosen.of_many and (names or len(request.whole.runs) > 1):
        of_many = chosen.of_many if names else None
        done.append(shown("figures of all runs", request.whole.plot_matrix, of_many))
    return 0 if all(done) else 1


def _draw(
    console: Console,
    what: str,
    plot: Callable[..., list[Path]],
    names: Sequence[str] | None,
    **look: Unpack[Look],
) -> bool:
    """Draw figures; False when one of those that are named was not."""
    try:
        written = plot(names, force=True, **look)
    except LayerscopeError as error:
        console.failed(what, error)
        return False
    console.drawn(written)
    return {path.stem for path in written} >= set(names or ())


def list_figures() -> int:
    """Print what can be drawn."""
    from layerscope.plotting.listing import listing

    sys.stdout.write(listing())
    return 0


def submit(request: Request, console: Console) -> int:
    """Submit what is left to Slurm."""
    submission = request.chosen.submit(request.stages, watch=console.submitted)
    console.submission(submission, "Nothing to submit: all is done, or on its way.")
    return 1 if submission.left else 0


def retry(request: Request, console: Console, *, what: str) -> int:
    """Submit again what went wrong, or do it again in worker processes."""
    if request.workers is not None:
        request = replace(request, chosen=request.chosen.gone_wrong(what, request.stages))
        if request.chosen.runs:
            return work_in_queue(request, console)
    submission = request.chosen.retry(what, request.stages, watch=console.submitted)
    why = "nothing went wrong" if what == "all" else f"nothing is {what}"
    console.submission(submission, f"Nothing to retry: {why}.")
    return 1 if submission.left else 0


def cancel(request: Request, console: Console) -> int:
    """Take jobs out of Slurm's queue."""
    console.cancelled(request.chosen.cancel(request.whole.runs))
    return 0


def preview(request: Request, console: Console) -> int:
    """Show what would be done; 2 when something would go wrong."""
    from layerscope.preview.plain import as_json
    from layerscope.preview.text import as_text

    workers = request.workers if isinstance(request.workers, int) else 0
    seen = request.chosen.preview(request.stages, slurm=request.slurm, workers=workers, ask=request.ask)
    if request.json:
        sys.stdout.write(as_json(seen))
    else:
        sys.stdout.write(as_text(seen, console.width, colour=console.colour))
    return 2 if seen.problems else 0


def screen(screening: Screening, console: Console, *, device: str) -> int:
    """Compare networks that are there already; 1 when one of them, or the figure, failed."""
    from layerscope.plotting.plotter import NCPlotter
    from layerscope.screening.screen import screen as measure
    from layerscope.screening.summary import write_relations
    from layerscope.screening.text import title_of

    outcomes = measure(screening, device=device, watch=console.screened)
    console.relations(screening.folder, write_relations(screening.folder), outcomes)
    try:
        console.drawn(NCPlotter.plot_screening(screening.folder, title_of(screening, outcomes)))
    except LayerscopeError as error:
        console.failed("the figure", error)
        return 1
    return 1 if any(outcome.error is not None for outcome in outcomes) else 0


def preview_screening(screening: Screening, console: Console, *, json: bool) -> int:
    """Show what a screening would do; 2 when something would go wrong."""
    from layerscope.screening.preview import preview as look
    from layerscope.screening.text import as_json, as_text

    seen = look(screening)
    sys.stdout.write(as_json(seen) if json else as_text(seen, console.width))
    return 2 if seen.problems else 0


def status(request: Request, console: Console) -> int:
    """Show how every run stands."""
    from layerscope.launch.following.status import status_json, status_table

    states = request.chosen.states()
    if request.json:
        sys.stdout.write(status_json(request.chosen.runs, states))
    else:
        table = status_table(request.chosen.runs, states, width=console.width, colour=console.colour)
        sys.stdout.write(table)
    return 0


def report(request: Request, console: Console, *, source: Path) -> int:
    """Write one HTML file about the runs."""
    console.written(request.chosen.report(source))
    return 0


def logs(request: Request, console: Console, *, name: str, follow: bool) -> int:
    """Print the newest log of the runs that ``name`` means; with ``follow`` go on until they have ended."""
    from layerscope.launch.following.logs import follow as growing
    from layerscope.launch.following.logs import logs as newest

    runs = request.chosen.only([name]).runs
    stage = request.stages[0] if len(request.stages) == 1 else None
    for piece in growing(runs, stage) if follow else (newest(run, stage) for run in runs):
        sys.stdout.write(piece)
        sys.stdout.flush()
    return 0


def clean(request: Request, console: Console, *, keep: str, remove: bool) -> int:
    """Show what finished runs do not need; with ``remove``, remove it."""
    from layerscope.launch.cleaning.text import cleaning_json, cleaning_text

    removals = request.chosen.clean(keep, remove=remove)
    if request.json:
        sys.stdout.write(cleaning_json(removals, done=remove))
    elif not console.quiet:
        sys.stdout.write(cleaning_text(removals, done=remove))
    return 0
