"""What one YAML file describes: an ordered list of runs, and what can be done with them."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layerscope.collection import collecting_nothing
from layerscope.config import Cell, load_config, load_matrix
from layerscope.errors import LayerscopeError, UnexpectedError, UsageError
from layerscope.files import write_atomic
from layerscope.launch.cleaning.keep_policy import HARMLESS
from layerscope.run import Run
from layerscope.status import STAGES

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from layerscope.launch.cleaning.removal import Removal
    from layerscope.launch.local.finished import Finished
    from layerscope.launch.states.stage_states import StageState
    from layerscope.launch.submission.control import Cancelled
    from layerscope.launch.submission.submissions import Submission, SubmittedArray
    from layerscope.plotting.drawing.options import Drawing
    from layerscope.preview.contents import Preview
    from layerscope.preview.tracer import Ask


@dataclass(frozen=True)
class Outcome:
    """What one stage of one run came to.

    ``worked`` is False when there was nothing left to do; ``error`` says why the stage failed, if it did.
    """

    run: Run
    stage: str
    worked: bool
    error: LayerscopeError | None = None


Work = Callable[[Run], bool]
Watch = Callable[[Outcome], None]


def _unwatched(_: object) -> None:
    """Nobody wants to be told."""


@dataclass(frozen=True)
class Experiment:
    """An ordered list of runs.

    Parameters
    ----------
    runs : list of Run
    base : Path
        The folder that they lie in; what concerns them all (jobs, snapshots of the code) is kept there too.
    """

    runs: list[Run] = field(default_factory=list)
    base: Path = field(default_factory=Path)

    @classmethod
    def from_yaml(
        cls,
        path: Path | str,
        *,
        matrix: bool = False,
        overrides: Sequence[str] = (),
        profile: Path | str | None = None,
        timestamp: bool = False,
    ) -> Experiment:
        """Read a config.

        Parameters
        ----------
        path : Path
        matrix : bool
            Expand the file's ``Matrix`` section; every cell is a run in its own subfolder.
        overrides : sequence of str
            ``Section.key=value``, in place of what the file says.
        profile : Path, optional
            What jobs ask of a cluster, where the file's own ``Slurm`` section does not say.
        timestamp : bool
            Start afresh in a dated subfolder.

        Raises
        ------
        ConfigError
            Every mistake in the file, each with its line.
        """
        with collecting_nothing():
            cells = _cells(path, overrides, profile, matrix=matrix)
            base = Path(cells[0].config.logging.save_dir)
            if timestamp:
                base /= datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
            runs = [Run(cell.config, base / cell.name, cell.name or base.name, cell.axes) for cell in cells]
        return cls(runs, base)

    def only(self, patterns: Iterable[str]) -> Experiment:
        """The runs that ``patterns`` mean: names, with ``*`` if need be, or ``key=value``; all for none.

        Raises
        ------
        UsageError
            A pattern that means no run.
        """
        from layerscope.launch.selection import select

        return replace(self, runs=select(self.runs, patterns))

    def preview(
        self,
        stages: Sequence[str] = STAGES,
        *,
        slurm: bool = False,
        workers: int = 0,
        ask: Ask | None = None,
    ) -> Preview:
        """What would be done, and what would go wrong; nothing is written.

        Parameters
        ----------
        ask : callable, optional
            Who answers questions about models (see :mod:`layerscope.preview.tracer`); this process otherwise.
        """
        from layerscope.preview.preview import preview
        from layerscope.preview.tracer import ask_here

        with collecting_nothing():
            return preview(self.runs, self.base, stages, slurm=slurm, workers=workers, ask=ask or ask_here)

    def submit(
        self,
        stages: Sequence[str] = STAGES,
        *,
        cluster: Literal["slurm"] = "slurm",
        watch: Callable[[SubmittedArray], None] = _unwatched,
    ) -> Submission:
        """Submit to Slurm what is left of ``stages``: an array for each, every one waiting for the last.

        Raises
        ------
        UsageError
            Another ``cluster`` than slurm.
        """
        from layerscope.launch.submission.submit import submit

        if cluster != "slurm":
            raise UsageError(
                f"jobs go to cluster='slurm', not {cluster!r}; run_queue() works on this machine"
            )
        return submit(self.base, self.runs, stages, watch=watch)

    def retry(
        self,
        what: str = "all",
        stages: Sequence[str] = STAGES,
        *,
        watch: Callable[[SubmittedArray], None] = _unwatched,
    ) -> Submission:
        """Submit again the runs of which a stage is ``what`` (failed, timed-out, lost, cancelled, …, all)."""
        from layerscope.launch.submission.control import retry

        return retry(self.base, self.runs, what, stages, watch=watch)

    def gone_wrong(self, what: str = "all", stages: Sequence[str] = STAGES) -> Experiment:
        """The runs that :meth:`retry` would submit again."""
        from layerscope.launch.submission.control import gone_wrong

        return replace(self, runs=gone_wrong(self.runs, what, stages))

    def cancel(self, among: Sequence[Run] = ()) -> list[Cancelled]:
        """Take the jobs of these runs out of Slurm's queue, and end those that run."""
        from layerscope.launch.submission.control import cancel

        return cancel(self.runs, among)

    def clean(self, keep: str = HARMLESS, *, remove: bool = False) -> list[Removal]:
        """What finished runs do not need any more; it goes only with ``remove``.

        Parameters
        ----------
        keep : str
            What stays, such as ``every:50,resume``; :class:`KeepPolicy` says what there is to say.

        Raises
        ------
        UsageError
            ``keep`` makes no sense.
        """
        from layerscope.launch.cleaning.clean import clean, plan_cleaning
        from layerscope.launch.cleaning.keep_policy import KeepPolicy

        return (clean if remove else plan_cleaning)(self.base, self.runs, KeepPolicy.parse(keep))

    def states(self) -> list[dict[str, StageState]]:
        """How each stage of each run stands."""
        from layerscope.launch.states.stage_states import stage_states

        return stage_states(self.runs)

    def report(self, source: Path | None = None) -> Path:
        """Write one HTML file about all runs, to look at and to send to somebody; where it is.

        Parameters
        ----------
        source : Path, optional
            The config file, whose opening comments introduce the report.
        """
        from layerscope.launch.following.standing import Standing
        from layerscope.plotting.report.report import write_report
        from layerscope.plotting.report.reported_run import ReportedRun

        standings = [Standing(run, states) for run, states in zip(self.runs, self.states(), strict=True)]
        runs = [
            ReportedRun(run.name, run.folder, run.config, run.axes, standing.word, standing.state.reason)
            for run, standing in zip(self.runs, standings, strict=True)
        ]
        return write_report(self.base, runs, source)

    def run_queue(
        self,
        stages: Sequence[str] = STAGES,
        *,
        workers: int | Literal["auto"] = "auto",
        device: str = "auto",
        watch: Callable[[Finished], None] = _unwatched,
    ) -> list[Finished]:
        """Bring the runs to their end in worker processes on this machine, a few at a time."""
        from layerscope.launch.local.queue import run_queue

        return run_queue(self.runs, stages, workers=workers, device=device, watch=watch)

    def train(self) -> list[Outcome]:
        """Train every run, resuming what is there."""
        return self.perform({"train": lambda run: run.train()})

    def measure(self) -> list[Outcome]:
        """Measure every checkpoint of every run."""
        return self.perform({"measure": lambda run: run.measure()})

    def plot(self) -> list[Outcome]:
        """Draw the figures of every run that ``Logging.figures`` asks for: in a matrix, its overview."""
        return self.perform({"plot": lambda run: run.plot()})

    def plot_matrix(self, figures: Sequence[str] | None = None, **drawing: Unpack[Drawing]) -> list[Path]:
        """Draw the figures of all runs together, into the folder ``figures`` below ``base``.

        Parameters
        ----------
        figures
            Their names; None is all for which the runs have what it takes.
        drawing
            ``force, columns, usetex``: see :class:`~layerscope.plotting.drawing.options.Drawing`.

        Returns
        -------
        list of Path
            The files written.

        Raises
        ------
        UsageError
            There is no run, no figure of that name, or none of those that are named can be drawn.
        """
        from layerscope.plotting.plotter import NCPlotter

        return NCPlotter.plot_matrix(self.base, figures, **drawing)

    def perform(self, stages: Mapping[str, Work], *, watch: Watch = _unwatched) -> list[Outcome]:
        """Do the stages in order, each for every run.

        A run that fails does not stop the others; its own later stages are left out.

        Parameters
        ----------
        stages : mapping
            Name → what is done: a function of a run that says whether there was anything to do.
        watch : callable
            Told of each outcome as it comes.
        """
        outcomes: list[Outcome] = []
        left = list(self.runs)
        for stage, work in stages.items():
            for run in left:
                outcome = _attempt(run, stage, work)
                watch(outcome)
                outcomes.append(outcome)
            failed = [outcome.run for outcome in outcomes if outcome.error is not None]
            left = [run for run in left if run not in failed]
        return outcomes


def _cells(
    path: Path | str, overrides: Sequence[str], profile: Path | str | None, *, matrix: bool
) -> list[Cell]:
    if matrix:
        return load_matrix(path, overrides, profile=profile)
    return [Cell("", load_config(path, overrides, profile=profile), {})]


def _attempt(run: Run, stage: str, work: Work) -> Outcome:
    try:
        return Outcome(run, stage, work(run))
    except LayerscopeError as error:
        return Outcome(run, stage, worked=True, error=error)
    except Exception as error:  # a bug, or a library's own: it ends this run, not the others
        return Outcome(run, stage, worked=True, error=_unexpected(run, stage, error))


def _unexpected(run: Run, stage: str, error: Exception) -> LayerscopeError:
    """The error in one line, with its traceback in a file of the run's folder."""
    path = run.folder / f"{stage}-error.txt"
    with contextlib.suppress(OSError, LayerscopeError):
        write_atomic(path, "".join(traceback.format_exception(error)))
    return UnexpectedError(f"{type(error).__name__}: {error} (traceback in {path})")
