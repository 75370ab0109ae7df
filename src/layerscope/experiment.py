"""What one YAML file describes: an ordered list of runs, and what can be done with them."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from layerscope.config import Cell, load_config, load_matrix
from layerscope.errors import LayerscopeError, UnexpectedError
from layerscope.files import write_atomic
from layerscope.run import Run


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


@dataclass(frozen=True)
class Experiment:
    """An ordered list of runs.

    Parameters
    ----------
    runs : list of Run
    """

    runs: list[Run] = field(default_factory=list)

    @classmethod
    def from_yaml(
        cls,
        path: Path | str,
        *,
        matrix: bool = False,
        overrides: Sequence[str] = (),
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
        timestamp : bool
            Start afresh in a dated subfolder.

        Raises
        ------
        ConfigError
            Every mistake in the file, each with its line.
        """
        cells = load_matrix(path, overrides) if matrix else [Cell("", load_config(path, overrides), {})]
        base = Path(cells[0].config.logging.save_dir)
        if timestamp:
            base /= datetime.now().astimezone().strftime("%Y-%m-%dT%H-%M-%S")
        return cls([Run(cell.config, base / cell.name, cell.name or base.name) for cell in cells])

    def train(self) -> list[Outcome]:
        """Train every run, resuming what is there."""
        return self.perform({"train": lambda run: run.train()})

    def measure(self) -> list[Outcome]:
        """Measure every checkpoint of every run."""
        return self.perform({"measure": lambda run: run.measure()})

    def plot(self) -> list[Outcome]:
        """Draw the figures of every run."""
        return self.perform({"plot": lambda run: run.plot()})

    def perform(self, stages: Mapping[str, Work], *, watch: Watch = lambda _: None) -> list[Outcome]:
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
