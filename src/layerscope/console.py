"""What a person at the terminal sees of an experiment."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tqdm import tqdm

from layerscope.experiment import Experiment, Outcome, Work
from layerscope.run import Progress, Run

DOING = {"train": "training", "measure": "measuring", "plot": "drawing"}


class Console:
    """Bars and lines on stderr, the summary on stdout.

    Parameters
    ----------
    quiet : bool
        Say nothing but errors.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self._worked = False

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

    def summary(self, experiment: Experiment) -> None:
        """Say where the results are."""
        if self.quiet:
            return
        if not self._worked:
            sys.stdout.write("Nothing to do: every checkpoint, table and figure is up to date.\n")
        for run in experiment.runs:
            sys.stdout.write(_whereabouts(run))

    def _train(self, run: Run, device: str) -> bool:
        from layerscope.training.progress import ConsoleReporter, QuietReporter

        reporter = QuietReporter() if self.quiet else ConsoleReporter(run.config.optimizer.epochs, run.name)
        return run.train(device=device, reporter=reporter)

    def _bar(self, run: Run) -> Progress:
        def progress(epochs: Iterable[int]) -> Iterable[int]:
            return tqdm(epochs, desc=f"{run.name}: measuring", unit="checkpoint", disable=self.quiet)

        return progress


def _whereabouts(run: Run) -> str:
    checkpoints, tables = run.checkpoints.epochs(), run.tables.measures()
    figures = sorted(run.plots_path.glob("*.pdf"))
    lines = [f"{run.name}: {run.folder}"]
    if checkpoints:
        lines.append(f"  {len(checkpoints)} checkpoints (epochs {_listed(checkpoints)}) in checkpoints/")
    if tables:
        lines.append(f"  {len(tables)} tables in measurements/: {', '.join(tables)}")
    if figures:
        lines.append(f"  {len(figures)} figures in plots/, as .pdf and .png; start with plots/Overview.png")
    return "\n".join(lines) + "\n"


def _listed(epochs: Iterable[int]) -> str:
    numbers = [str(epoch) for epoch in epochs]
    return ", ".join(numbers) if len(numbers) <= 8 else f"{', '.join(numbers[:4])} … {numbers[-1]}"
