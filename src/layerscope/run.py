"""One run: a config, a folder, and its stages."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from layerscope.config import load_config
from layerscope.distributed.exchange import anybody, shared
from layerscope.distributed.ranks import rank
from layerscope.errors import Blocked, RunFolderError, Stopped, UsageError
from layerscope.measurement.key import selected_measures
from layerscope.plotting.freshness import outdated
from layerscope.provenance import now
from layerscope.run_folder import RunFolder, read_record
from layerscope.source import source_digest
from layerscope.status import STAGES, recording

if TYPE_CHECKING:
    from torch import nn

    from layerscope.data.load import Data
    from layerscope.features.layer_features import LayerFeatures
    from layerscope.training.progress import Reporter

logger = logging.getLogger(__name__)

T = TypeVar("T")
Progress = Callable[[Iterable[int]], Iterable[int]]
ShouldStop = Callable[[], bool]


def never() -> bool:
    """The answer of a ``should_stop`` that lets a stage work to its end."""
    return False


class Run(RunFolder):
    """One cell of an experiment. Every stage can be called again: what is done is skipped.

    Each keeps its status in the folder. ``should_stop`` is asked again and again while a stage works; once
    it is True, the stage saves and raises :class:`~layerscope.errors.Stopped`.
    """

    @classmethod
    def open(cls, folder: Path | str) -> Run:
        """The run that a folder holds, from the config that was saved in it."""
        place = Path(folder)
        path = place / "config.yaml"
        if not path.exists():
            raise RunFolderError(f"{place} is not a run's folder: it has no config.yaml")
        record = read_record(place / "run.json")
        return cls(load_config(path), place, record.get("name") or place.name, record.get("axes") or {})

    def train(
        self, *, device: str = "auto", reporter: Reporter | None = None, should_stop: ShouldStop = never
    ) -> bool:
        """Train to the end, resuming what is there; False when there was nothing to do."""
        with self.working(), self._recording("train") as begin:
            if shared(lambda: self.trained):
                return False
            begin()
            self._note_source()
            from layerscope.stages import train_run

            if train_run(self, device=device, reporter=reporter, should_stop=should_stop) == "stopped":
                raise Stopped(f"training was stopped after epoch {max(0, self.last_epoch())}; it has saved")
            self.note(trained=now())
            if (best := self.checkpoints.best()) is not None:
                self.note(best_epoch=best)
        return True

    def _note_source(self) -> None:
        """Record which code trains: another entry each time that a training goes on with edited code."""
        code, before = source_digest(self.config.model.model_name), self._record().get("source", [])
        if code not in before:
            self.note(source=[*before, code])

    def measure(
        self, *, device: str = "auto", progress: Progress = iter, should_stop: ShouldStop = never
    ) -> bool:
        """Measure what is pending of every checkpoint; False when there was nothing to do.

        Raises
        ------
        Blocked
            There is no checkpoint to measure.
        """
        with self.working(), self._recording("measure") as begin:
            pending = shared(self._measurable)
            if not pending:
                return False
            begin()
            from layerscope.stages import measure_run

            def epochs(wanted: Iterable[int]) -> Iterator[int]:
                return _until(progress(wanted), lambda: anybody(should_stop()), "measuring")

            measure_run(self, pending, device=device, progress=epochs)
            self.note(measured=now())
        return True

    def _measurable(self) -> dict[int, tuple[str, ...]]:
        """What is pending, once it is sure that anything can be."""
        if not self.checkpoints.epochs():
            raise Blocked(f"{self.folder} has no checkpoints to measure: run the train stage first.")
        self._name_unavailable()
        pending = self.pending_measures()
        if pending:
            self._spare_irreplaceable()
        self._name_unmeasurable()
        return pending

    def _spare_irreplaceable(self) -> None:
        """Refuse to measure with other settings what then could not stay beside older rows."""
        for name, epochs in self.irreplaceable().items():
            raise RunFolderError(
                f"{self.tables.path(name)} has rows of other settings or another version. Those of epoch "
                f"{', '.join(map(str, epochs))} could not be measured anew: --clean removed the checkpoints. "
                "Go back to those settings, or move the folder measurements away."
            )

    def _name_unmeasurable(self) -> None:
        """Warn of what is asked for of checkpoints that are removed."""
        for epoch, names in self.unmeasurable().items():
            logger.warning(
                "%s: the checkpoint of epoch %d was removed by --clean, so it has no %s",
                *(self.name, epoch, ", ".join(names)),
            )

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

    def plot(self, *, force: bool = False, should_stop: ShouldStop = never) -> bool:
        """Draw the figures that are out of date, of those that ``Logging.figures`` asks for; False: none was.

        Raises
        ------
        Blocked
            There is neither a log nor a table to draw from.
        """
        if rank() > 0:
            return False
        with self.working(), self._recording("plot") as begin:
            possible = self.figures()
            if not possible:
                raise Blocked(f"{self.folder} has nothing to draw: run the train and measure stages first.")
            wanted = possible if force else outdated(self.folder, possible)
            if not wanted:
                return False
            begin()
            from layerscope.plotting.plotter import NCPlotter

            plotter = NCPlotter(self.folder)
            for name in _until(wanted, should_stop, "drawing"):
                plotter.draw({name: wanted[name]})
            self.note(plotted=now())
        return True

    @contextmanager
    def _recording(self, stage: str) -> Iterator[Callable[[], None]]:
        """Keep the stage's status true; the first of several processes does so for all."""
        if rank() > 0:
            yield lambda: None
            return
        key, progress = partial(self.stage_key, stage), self.last_epoch()
        with recording(self.status(stage), key=key, progress=progress) as begin:
            yield begin

    def model(self, epoch: int | Literal["best"] | None = None, *, device: str = "cpu") -> nn.Module:
        """The network at ``epoch`` (the last saved one when omitted), in eval mode."""
        from layerscope.stages import load_model

        return load_model(self, epoch, device=device)

    def features(
        self, layer: str, split: str = "train", epoch: int | None = None, *, device: str = "cpu"
    ) -> LayerFeatures:
        """Features (N, D) and labels (N,) of any layer of the network, taken and reduced as the config says.

        Parameters
        ----------
        layer : str
            Dotted name of any module of ``run.model()``, measured or not; ``name@2`` for its second call.
        split : str
            ``train`` or ``test``, in stored order and without augmentation.
        epoch : int, optional
            The last saved one when omitted.
        """
        from layerscope.stages import load_features

        return load_features(self, layer, split, epoch, device=device)

    def data(self, *, device: str = "cpu") -> Data:
        """The splits as they are trained and measured on."""
        from layerscope.stages import load_run_data

        return load_run_data(self, device=device)


def _until(items: Iterable[T], should_stop: ShouldStop, doing: str) -> Iterator[T]:
    """The items, one by one, as long as nobody asks to stop."""
    for item in items:
        if should_stop():
            raise Stopped(f"{doing} was stopped; what was finished is saved")
        yield item


def chosen_stages(names: Iterable[str]) -> tuple[str, ...]:
    """The stages that were named, in the order in which they run."""
    wanted = list(names)
    unknown = [name for name in wanted if name not in STAGES]
    if unknown:
        raise UsageError(f"unknown stage {unknown[0]!r}; the stages are {', '.join(STAGES)}")
    return tuple(stage for stage in STAGES if stage in wanted)
