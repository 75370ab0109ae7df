"""What a training leaves behind, epoch by epoch. In a run of several processes rank 0 alone writes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from torch import nn
from torch.optim import Optimizer

from layerscope.config import Config
from layerscope.distributed.ranks import rank
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.course import EpochPart
from layerscope.training.divergence import check_losses
from layerscope.training.log import EpochLog, EpochRow
from layerscope.training.observation_log import ObservationLog, tracked
from layerscope.training.observer import Observed
from layerscope.training.progress import Reporter
from layerscope.training.resume import ResumePoint
from layerscope.training.snapshots import Snapshots
from layerscope.training.trackers import Trackers


@dataclass(frozen=True)
class Records:
    """Log, trackers, checkpoints and resume points of one run, whose epochs have ``steps`` steps.

    Checkpoints are of the ``model``, resume points of all that is ``trained``.
    A checkpoint that was the best one stays until two resume points know of a better one: a run that goes on
    from the older of them finds the files of that time.
    """

    config: Config
    steps: int
    model: nn.Module
    trained: nn.Module
    optimizer: Optimizer
    store: CheckpointStore
    log: EpochLog
    reporter: Reporter
    trackers: Trackers | None = None
    observations: ObservationLog | None = None
    snapshots: Snapshots | None = None

    @cached_property
    def _identity(self) -> str:
        return self.config.hash

    @cached_property
    def _due(self) -> frozenset[int]:
        return frozenset(self.config.checkpoint_epochs)

    def keep_epoch(self, row: EpochRow, observed: Observed | None = None) -> None:
        """Log a finished epoch, save its checkpoint if one is due, then its resume point."""
        if rank():
            return
        self.log.append(row)  # first: a run whose checkpoints are all there counts as trained
        if self.observations:
            self.observations.append(row.epoch, observed or {})
        if self.trackers:
            self.trackers.log(row.epoch, row, tracked(observed or {}))
        self._keep_weights(row)
        self._save_resume(row.epoch)
        self._remove_outdone(row.epoch - 1)
        self.reporter.epoch(row)

    def keep_part(self, epoch: int, part: EpochPart) -> None:
        """Save a resume point in the middle of ``epoch``, unless it is of no use any more."""
        check_losses(self.config, epoch, self.steps, part.counts, self.store)
        if rank() == 0:
            self._save_resume(epoch - 1, part)

    def settle(self) -> None:
        """Remove what only a resumed training would need; tell the best epoch."""
        if rank() or not self.config.logging.keep_best:
            return
        self._remove_outdone()
        self.reporter.message(f"the best epoch on the validation split is {self.store.manifest.best()}")

    def _keep_weights(self, row: EpochRow) -> None:
        score = self._best_score(row)
        if score or row.epoch in self._due:
            if self.snapshots:  # first: a run whose checkpoints are all there counts as trained
                self.snapshots.save(row.epoch)
            self.store.save(row.epoch, self.model, score)

    def _best_score(self, row: EpochRow) -> tuple[float, ...]:
        """The row's score if it is the best so far and that matters."""
        if not self.config.logging.keep_best:
            return ()
        by_loss = self.config.optimizer.objective == "reconstruction"
        manifest, score = self.store.manifest, row.score(by_loss=by_loss)
        best = manifest.best(row.epoch - 1)
        return score if best is None or score > manifest.entry(best).score else ()

    def _remove_outdone(self, last: float = math.inf) -> None:
        if not self.config.logging.keep_best:
            return
        if outdone := self.store.manifest.outdone(self._due, last):
            self.store.manifest.remove(outdone)

    def _save_resume(self, finished: int, part: EpochPart | None = None) -> None:
        state = self.optimizer.state_dict()["state"]
        point = ResumePoint(finished, self._identity, self.trained.state_dict(), state, part)
        self.store.save_resume(point)
