"""Where training begins: at the newest resume point, or at the initialisation."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from torch import nn
from torch.optim import Optimizer

from layerscope.distributed.exchange import shared
from layerscope.distributed.ranks import rank
from layerscope.errors import ModelError
from layerscope.files import remove_leftovers
from layerscope.training.checkpoints import CheckpointStore, describe_difference
from layerscope.training.course import EpochPart
from layerscope.training.log import EpochLog
from layerscope.training.optimizers import restore_state
from layerscope.training.position import NOTHING, Position, read_position, write_position
from layerscope.training.progress import Reporter
from layerscope.training.resume import ResumePoint

logger = logging.getLogger(__name__)


def restart(
    identity: str,
    due: Iterable[int],
    model: nn.Module,
    optimizer: Optimizer,
    store: CheckpointStore,
    log: EpochLog,
    reporter: Reporter,
) -> tuple[int, EpochPart | None]:
    """Bring model, optimizer and log to the newest usable resume point.

    Returns the last finished epoch (or NOTHING), and what is done of the one after it.
    """
    point = shared(lambda: _prepared(identity, due, store, log))
    if point is None:
        return NOTHING, None
    _restore(point, model, optimizer, store)
    if rank() == 0:
        _warn_of_gaps(log, point.epoch)
        steps = f", step {point.part.step} of the next" if point.part else ""
        reporter.message(f"resuming after epoch {point.epoch}{steps}")
    return point.epoch, point.part


def _prepared(identity: str, due: Iterable[int], store: CheckpointStore, log: EpochLog) -> ResumePoint | None:
    """Find the newest usable resume point, and remove what was written after it."""
    remove_leftovers(store.folder)
    point = usable_point(identity, due, store)
    position = point.position if point else Position()
    store.manifest.forget_after(position.epoch)
    log.truncate_after(position.epoch)
    if read_position(store.folder) > position:
        write_position(store.folder, position)
    return point


def usable_point(identity: str, due: Iterable[int], store: CheckpointStore) -> ResumePoint | None:
    """Return the newest resume point, or None when a checkpoint before it is gone.

    Only training from the start brings that checkpoint back.
    """
    point = store.load_resume(identity)
    if point is None:
        return None
    best = store.manifest.best(point.epoch)
    needed = {*due, *(() if best is None else (best,))}
    gone = store.manifest.missing(epoch for epoch in needed if epoch <= point.epoch)
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
