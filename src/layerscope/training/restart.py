"""Where training begins: at the newest resume point, or at the initialisation."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from torch import nn
from torch.optim import Optimizer

from layerscope.errors import ModelError
from layerscope.files import remove_leftovers
from layerscope.training.checkpoints import CheckpointStore, describe_difference
from layerscope.training.log import EpochLog
from layerscope.training.optimizers import restore_state
from layerscope.training.progress import Reporter
from layerscope.training.resume import ResumePoint

logger = logging.getLogger(__name__)

NOTHING = -1
"""The last finished epoch of a run in which not even the initialisation (epoch 0) is saved."""


def restart(
    identity: str,
    due: Iterable[int],
    model: nn.Module,
    optimizer: Optimizer,
    store: CheckpointStore,
    log: EpochLog,
    reporter: Reporter,
) -> int:
    """Bring model, optimizer and log to the newest usable resume point; return its epoch or NOTHING."""
    remove_leftovers(store.folder)
    point = usable_point(identity, due, store)
    finished = point.epoch if point else NOTHING
    store.manifest.forget_after(finished)
    log.truncate_after(finished)
    if point:
        _restore(point, model, optimizer, store)
        _warn_of_gaps(log, finished)
        reporter.message(f"resuming after epoch {finished}")
    return finished


def usable_point(identity: str, due: Iterable[int], store: CheckpointStore) -> ResumePoint | None:
    """Return the newest resume point, or None when a checkpoint before it is gone.

    Only training from the start brings that checkpoint back.
    """
    point = store.load_resume(identity)
    if point is None:
        return None
    gone = store.manifest.missing(epoch for epoch in due if epoch <= point.epoch)
    if gone:
        epochs = ", ".join(map(str, gone))
        logger.warning(
            "%s lacks intact checkpoints of epochs %s: training starts again", store.folder, epochs
        )
        return None
    return point


def _restore(point: ResumePoint, model: nn.Module, optimizer: Optimizer, store: CheckpointStore) -> None:
    if difference := describe_difference(model, point.model):
        raise ModelError(
            f"{store.resume_path} does not fit the model: {difference}. The model's code has changed since; "
            "bring it back, or delete the run's folder to start afresh."
        )
    model.load_state_dict(point.model)
    restore_state(optimizer, point.optimizer)


def _warn_of_gaps(log: EpochLog, finished: int) -> None:
    logged = {row.epoch for row in log.rows()}
    gaps = [epoch for epoch in range(finished + 1) if epoch not in logged]
    if gaps:
        logger.warning("%s lacks %d of the epochs up to %d; they stay missing", log.path, len(gaps), finished)
