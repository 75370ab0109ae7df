"""One run: a config, a folder, and its stages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from layerscope.config import load_config
from layerscope.errors import RunFolderError, UsageError
from layerscope.measurement.key import selected_measures
from layerscope.plotting.freshness import drawable, outdated
from layerscope.plotting.registry import FIGURES
from layerscope.provenance import now
from layerscope.run_folder import RunFolder

if TYPE_CHECKING:
    from torch import nn

    from layerscope.data.load import Data
    from layerscope.training.progress import Reporter

logger = logging.getLogger(__name__)

STAGES = ("train", "measure", "plot")
Progress = Callable[[Iterable[int]], Iterable[int]]


class Run(RunFolder):
    """One cell of an experiment. Every stage can be called again: what is done is skipped."""

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """The run that a folder holds, from the config that was saved in it."""
        place = Path(folder)
        path = place / "config.yaml"
        if not path.exists():
            raise RunFolderError(f"{place} is not a run's folder: it has no config.yaml")
        return cls(load_config(path), place, place.name)

    def train(self, *, device: str = "auto", reporter: Reporter | None = None) -> bool:
        """Train to the end, resuming what is there; False when there was nothing to do."""
        with self.working():
            if self.trained:
                return False
            from layerscope.stages import train_run

            train_run(self, device=device, reporter=reporter)
            self.note(trained=now())
        return True

    def measure(self, *, device: str = "auto", progress: Progress = iter) -> bool:
        """Measure what is pending of every checkpoint; False when there was nothing to do.

        Raises
        ------
        RunFolderError
            There is no checkpoint to measure.
        """
        with self.working():
            if not self.checkpoints.epochs():
                raise RunFolderError(
                    f"{self.folder} has no checkpoints to measure: run the train stage first."
                )
            pending = self.pending_measures()
            self._name_unavailable()
            if not pending:
                return False
            from layerscope.stages import measure_run

            measure_run(self, pending, device=device, progress=progress)
            self.note(measured=now())
        return True

    def _name_unavailable(self) -> None:
        """Warn of measures that the config may ask for but this version does not have."""
        chosen = self.config.measurements.selected
        missing = [name for name in chosen if name not in selected_measures(self.config)]
        if missing and len(missing) == len(chosen):
            raise UsageError(
                f"this version has no measure {', '.join(missing)}, and nothing else is asked for"
            )
        if missing:
            logger.warning("this version has no measure %s; it is left out", ", ".join(missing))

    def plot(self, *, force: bool = False) -> bool:
        """Draw the figures that are out of date; False when there were none.

        Raises
        ------
        RunFolderError
            There is neither a log nor a table to draw from.
        """
        with self.working():
            possible = drawable(self.folder, FIGURES)
            if not possible:
                raise RunFolderError(
                    f"{self.folder} has nothing to draw: run the train and measure stages first."
                )
            wanted = possible if force else outdated(self.folder, possible)
            if not wanted:
                return False
            from layerscope.plotting.plotter import NCPlotter

            NCPlotter(self.folder).plot(list(wanted), force=True)
            self.note(plotted=now())
        return True

    def model(self, epoch: int | None = None, *, device: str = "cpu") -> nn.Module:
        """The network at ``epoch`` (the last saved one when omitted), in eval mode."""
        from layerscope.stages import load_model

        return load_model(self, epoch, device=device)

    def data(self, *, device: str = "cpu") -> Data:
        """The splits as they are trained and measured on."""
        from layerscope.stages import load_run_data

        return load_run_data(self, device=device)


def chosen_stages(names: Iterable[str]) -> tuple[str, ...]:
    """The stages that were named, in the order in which they run."""
    wanted = list(names)
    unknown = [name for name in wanted if name not in STAGES]
    if unknown:
        raise UsageError(f"unknown stage {unknown[0]!r}; the stages are {', '.join(STAGES)}")
    return tuple(stage for stage in STAGES if stage in wanted)
