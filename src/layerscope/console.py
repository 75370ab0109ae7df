"""What a person at the terminal sees of an experiment."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from layerscope.errors import LayerscopeError
from layerscope.experiment import Experiment, Outcome, Work
from layerscope.run import Progress, Run

if TYPE_CHECKING:
    from layerscope.launch.local.finished import Finished
    from layerscope.launch.submission.control import Cancelled
    from layerscope.launch.submission.submissions import Submission, SubmittedArray
    from layerscope.screening.screen import Screened
    from layerscope.screening.summary import Relation

_TOLD_ONE_BY_ONE = 8
"""So many runs have their lines in the summary; of more, only the sums are told."""

DOING = {"train": "training", "measure": "measuring", "plot": "drawing"}


class Console:
    """Bars and lines on stderr, the summary on stdout.

    Parameters
    ----------
    quiet : bool
        Say nothing but errors.
    again : str
        The command that goes on with the same runs, in words.
    """

    def __init__(self, *, quiet: bool, again: str = "the same command") -> None:
        self.quiet = quiet
        self.again = again
        self._worked = False

    @property
    def width(self) -> int:
        """Columns to write in."""
        return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100

    @property
    def colour(self) -> bool:
        """Whether there is somebody to see it."""
        return sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def work(self, stage: str, *, device: str) -> Work:
        """The stage as a function of a run, with its progress shown."""
        return {
            "train": lambda run: self._train(run, device),
            "measure": lambda run: run.measure(device=device, progress=self._bar(run)),
            "plot": lambda run: run.plot(),
        }[stage]

    def outcome(self, outcome: Outcome) -> None:
        """Say what came of one stage of one run."""
        self._worked |= outcome.worked
        if outcome.error is not None:
            sys.stderr.write(f"layerscope: {outcome.run.name}: {outcome.stage} failed: {outcome.error}\n")

    def drawn(self, paths: Sequence[Path]) -> None:
        """Say where figures were drawn, and how many."""
        self._worked |= bool(paths)
        figures = [path.stem for path in paths if path.suffix == ".pdf"]
        if figures and not self.quiet:
            sys.stdout.write(
                f"{paths[0].parent}: {len(figures)} figure{'s' if len(figures) > 1 else ''} drawn\n"
            )

    def failed(self, what: str, error: LayerscopeError) -> None:
        """Say what could not be done, and why."""
        sys.stderr.write(f"layerscope: {what}: {error}\n")

    def finished(self, finished: Finished) -> None:
        """Say what came of a run in the local queue."""
        self._worked |= bool(finished.worked) or finished.state != "done"
        if finished.state != "done":
            sys.stderr.write(f"{finished}\n")
        elif not self.quiet:
            sys.stdout.write(f"{finished}\n")
            sys.stdout.flush()

    def submitted(self, array: SubmittedArray) -> None:
        """Say that Slurm took an array."""
        if not self.quiet:
            sys.stdout.write(f"submitted {array}{f', {array.after}' if array.after else ''}\n")
            sys.stdout.flush()

    def submission(self, submission: Submission, nothing: str) -> None:
        """Say what was submitted, what was not, and how to follow it; ``nothing`` if there was nothing."""
        for left in submission.left:
            sys.stderr.write(f"layerscope: {left.run.name}: {left.stage} is not submitted: {left.reason}\n")
        if any(left.reason.startswith("failed") for left in submission.left):
            sys.stderr.write("layerscope: --retry failed tries again what failed\n")
        if self.quiet:
            return
        if submission.arrays:
            again = self.again[0].upper() + self.again[1:]
            sys.stdout.write(f"{again} with --status, --logs RUN or --cancel follows them.\n")
        elif not submission.left:
            sys.stdout.write(f"{nothing}\n")

    def cancelled(self, cancelled: Sequence[Cancelled]) -> None:
        """Say which stages will not be worked on."""
        for one in cancelled:
            shared = " (it shared the job of another)" if one.companion else ""
            sys.stdout.write(f"{one.run.name}: {one.stage} cancelled, job {one.job}{shared}\n")
        if not cancelled and not self.quiet:
            sys.stdout.write("Nothing to cancel: no job of these runs waits or runs.\n")

    def written(self, path: Path) -> None:
        """Say where a file is, and how large."""
        if not self.quiet:
            sys.stdout.write(f"{path} ({path.stat().st_size / 1e6:.1f} MB)\n")

    def screened(self, outcome: Screened) -> None:
        """Say what came of one network of a screening."""
        if outcome.error is not None:
            sys.stderr.write(f"layerscope: {outcome.candidate.name} failed: {outcome.error}\n")
        elif outcome.worked and not self.quiet:
            sys.stdout.write(f"{outcome.candidate.name}: measured\n")
            sys.stdout.flush()

    def relations(self, folder: Path, found: Sequence[Relation], outcomes: Sequence[Screened]) -> None:
        """Say how the measures of a screening go with accuracy, and where the numbers are."""
        from layerscope.preview.table import columns
        from layerscope.screening.summary import relation_lines

        if self.quiet:
            return
        failed = sum(outcome.error is not None for outcome in outcomes)
        new = sum(outcome.worked for outcome in outcomes) - failed
        before = len(outcomes) - new - failed
        sys.stdout.write(f"{len(outcomes)} networks: {new} measured now, {before} before, {failed} failed\n")
        if found:
            sys.stdout.writelines(f"  {line}\n" for line in columns(relation_lines(found)))
        sys.stdout.write(f"Numbers in {folder / 'screen.csv'}, correlations in correlations.csv beside it\n")

    def summary(self, experiment: Experiment) -> None:
        """Say where the results are."""
        if self.quiet:
            return
        if not self._worked:
            sys.stdout.write("Nothing to do: every checkpoint, table and figure is up to date.\n")
        if len(experiment.runs) > _TOLD_ONE_BY_ONE:
            sys.stdout.write(_together(experiment))
        else:
            sys.stdout.writelines(_whereabouts(run) for run in experiment.runs)

    def _train(self, run: Run, device: str) -> bool:
        from layerscope.training.progress import ConsoleReporter, QuietReporter

        reporter = QuietReporter() if self.quiet else ConsoleReporter(run.config.optimizer.epochs, run.name)
        return run.train(device=device, reporter=reporter)

    def _bar(self, run: Run) -> Progress:
        def progress(epochs: Iterable[int]) -> Iterable[int]:
            return tqdm(epochs, desc=f"{run.name}: measuring", unit="checkpoint", disable=self.quiet)

        return progress


def _together(experiment: Experiment) -> str:
    runs = experiment.runs
    checkpoints = sum(len(run.checkpoints.epochs()) for run in runs)
    tables = sum(len(run.tables.measures()) for run in runs)
    drawn = [_figures(run) for run in runs]
    figures = sum(map(len, drawn))
    more = " (--figures all draws more)" if set().union(*drawn) == {"Overview"} else ""
    return (
        f"{len(runs)} runs in {experiment.base}: {checkpoints} checkpoints, {tables} tables and {figures} "
        f"figure(s){more}; --status lists them.\n"
    )


def _whereabouts(run: Run) -> str:
    checkpoints, tables = run.checkpoints.epochs(), run.tables.measures()
    figures = _figures(run)
    lines = [f"{run.name}: {run.folder}"]
    if checkpoints:
        lines.append(f"  {len(checkpoints)} checkpoints (epochs {_listed(checkpoints)}) in checkpoints/")
    if tables:
        lines.append(f"  {len(tables)} tables in measurements/: {', '.join(tables)}")
    if figures == {"Overview"}:
        lines.append("  its overview in plots/Overview.png; --figures all draws everything")
    elif figures:
        lines.append(f"  {len(figures)} figures in plots/, as .pdf and .png; start with plots/Overview.png")
    return "\n".join(lines) + "\n"


def _figures(run: Run) -> set[str]:
    return {path.stem for path in run.plots_path.glob("*.p[dn][fg]")}


def _listed(epochs: Iterable[int]) -> str:
    numbers = [str(epoch) for epoch in epochs]
    return ", ".join(numbers) if len(numbers) <= 8 else f"{', '.join(numbers[:4])} … {numbers[-1]}"
