"""The training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import nan
from typing import Literal

import torch
from torch import nn
from torch.optim import Optimizer

from layerscope.config import Config
from layerscope.data.load import Data
from layerscope.data.split import Split
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.divergence import check_losses, check_result
from layerscope.training.forward import Forward, build_forward
from layerscope.training.limits import explained_limits
from layerscope.training.log import EpochLog, EpochRow
from layerscope.training.optimizers import build_optimizer, set_learning_rate
from layerscope.training.progress import Reporter
from layerscope.training.randomness import epoch_augmentation, epoch_dropout, epoch_order
from layerscope.training.restart import restart
from layerscope.training.resume import ResumePoint
from layerscope.training.schedules import learning_rate
from layerscope.training.tally import Tally
from layerscope.training.trackers import Trackers

Outcome = Literal["finished", "stopped"]


def never() -> bool:
    """The answer of a ``should_stop`` that lets training run to its end."""
    return False


def train(
    config: Config,
    data: Data,
    model: nn.Module,
    store: CheckpointStore,
    log: EpochLog,
    *,
    device: torch.device,
    reporter: Reporter,
    trackers: Trackers | None = None,
    should_stop: Callable[[], bool] = never,
) -> Outcome:
    """Train ``model``, or go on where an interrupted run left off, and save the checkpoints that are due.

    Every epoch: train, evaluate on the test split, log, save a checkpoint if one is due, save the resume
    point. What came after the newest resume point is done again after a kill, with the same bits on a CPU.

    Parameters
    ----------
    model
        The initialised model; it is moved to ``device`` and holds the final weights at the end.
    should_stop
        Asked before every step. Once True, the loop returns "stopped" and the newest resume point stands.

    Raises
    ------
    TrainingDiverged
        A loss or a weight is not finite; nothing of that epoch has been saved.
    StorageError
        A file could not be written; all earlier files are intact.
    """
    forward = build_forward(config.optimizer, model, data.train.num_classes, device)
    optimizer = build_optimizer(config.optimizer, model)
    due, identity = config.checkpoint_epochs, config.hash
    finished = restart(identity, due, model, optimizer, store, log, reporter)
    for epoch in range(finished + 1, config.optimizer.epochs + 1):
        with explained_limits(config):
            row = run_epoch(config, epoch, data, forward, optimizer, store, should_stop)
        if row is None:
            return "stopped"
        log.append(row)  # first: a run whose checkpoints are all there counts as trained
        if trackers:
            trackers.log(epoch, row)
        if epoch in due:
            store.save(epoch, model)
        store.save_resume(ResumePoint(epoch, identity, model.state_dict(), optimizer.state_dict()["state"]))
        reporter.epoch(row)
    return "finished"


def run_epoch(
    config: Config,
    epoch: int,
    data: Data,
    forward: Forward,
    optimizer: Optimizer,
    store: CheckpointStore,
    should_stop: Callable[[], bool],
) -> EpochRow | None:
    """Train (unless this is epoch 0, the initialisation), check, evaluate; None when stopped on the way."""
    train_loss, train_accuracy, rate, seconds, speed = nan, nan, nan, 0.0, nan
    if epoch:
        began = time.perf_counter()
        trained = train_epoch(config, epoch, data.train, forward, optimizer, should_stop)
        if trained is None:
            return None
        check_losses(config, epoch, trained, store)  # waits for the device: the clock is right
        seconds = time.perf_counter() - began
        train_loss, train_accuracy, speed = trained.loss, trained.accuracy, trained.samples / seconds
        rate = float(optimizer.param_groups[0]["lr"])
    tested = evaluate(forward, data.test, config.data.batch_size)
    row = EpochRow(epoch, train_loss, train_accuracy, tested.loss, tested.accuracy, rate, seconds, speed)
    check_result(row, forward.model, store)
    return row


def train_epoch(
    config: Config,
    epoch: int,
    split: Split,
    forward: Forward,
    optimizer: Optimizer,
    should_stop: Callable[[], bool] = never,
) -> Tally | None:
    """One pass over the training samples in the order of this epoch; None when stopped on the way."""
    settings, tally = config.optimizer, Tally()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    order, size = epoch_order(config, epoch, len(split)), config.data.batch_size
    augment = epoch_augmentation(config, epoch)
    step_length = 1 / -(-len(order) // size)  # in epochs
    forward.model.train()
    with epoch_dropout(config, epoch, split.labels.device):
        for step, (images, labels) in enumerate(split.batches(size, order=order, augment=augment)):
            if should_stop():
                return None
            set_learning_rate(optimizer, learning_rate(settings, epoch - 1 + step * step_length, step_length))
            loss, logits = forward(images, labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if settings.clip_grad_norm:
                nn.utils.clip_grad_norm_(parameters, settings.clip_grad_norm)
            optimizer.step()
            tally.add(loss, logits, labels)
    return tally


@torch.inference_mode()
def evaluate(forward: Forward, split: Split, batch_size: int) -> Tally:
    """One pass over all samples of ``split`` in eval mode."""
    tally = Tally()
    forward.model.eval()
    for images, labels in split.batches(batch_size):
        loss, logits = forward(images, labels)
        tally.add(loss, logits, labels)
    return tally
