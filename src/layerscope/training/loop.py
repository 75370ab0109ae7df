"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import nan
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from layerscope.config import Config
from layerscope.data.load import Data
from layerscope.data.split import Split, class_counts
from layerscope.distributed.ranks import rank, world_size
from layerscope.errors import UsageError
from layerscope.training.batches import training_batches
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.course import Course, EpochPart
from layerscope.training.divergence import check_losses, check_result
from layerscope.training.examination import Examination, Results
from layerscope.training.forward import Forward, build_forward
from layerscope.training.learners import learner
from layerscope.training.limits import explained_limits
from layerscope.training.log import EpochLog, EpochRow
from layerscope.training.observation_log import ObservationLog
from layerscope.training.observer import Observer
from layerscope.training.optimizers import build_optimizer, set_learning_rate
from layerscope.training.progress import Reporter
from layerscope.training.randomness import epoch_dropout, epoch_order, epoch_steps
from layerscope.training.records import Records
from layerscope.training.restart import restart
from layerscope.training.schedules import step_rate
from layerscope.training.snapshots import Snapshots
from layerscope.training.spread import share_of_loss
from layerscope.training.trackers import Trackers
from layerscope.training.watch import Watch, never

Outcome = Literal["finished", "stopped"]
FINISHED: Outcome = "finished"
STOPPED: Outcome = "stopped"


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
    observer: Observer | None = None,
    observations: ObservationLog | None = None,
    snapshots: Snapshots | None = None,
    should_stop: Callable[[], bool] = never,
) -> Outcome:
    """Train ``model``, or go on where an interrupted run left off, and save the checkpoints that are due.

    Every epoch: train, evaluate on what is held out, log, save a checkpoint if one is due, save the resume
    point. What came after the newest resume point is done again after a kill, with the same bits on a CPU.

    In :func:`layerscope.distributed.group.process_group`, every process of the run calls this with the
    same arguments; each works on its share of every batch, and all end with the same weights.

    Parameters
    ----------
    model
        The initialised model; it is moved to ``device`` and holds the final weights at the end.
    observer, observations
        What is observed of every step, and where it is kept.
    should_stop
        Asked before every step. Once True (in any process), the loop saves a resume point at the boundary of
        a step, in mid-epoch too, and returns "stopped".

    Raises
    ------
    TrainingDiverged
        A loss or a weight is not finite; nothing of that epoch has been saved.
    StorageError
        A file could not be written; all earlier files are intact.
    """
    _check_processes(config)
    counts, shape = class_counts(data.train), data.train.shape
    trained = learner(config, model, data.train.num_classes)
    forward = build_forward(config.optimizer, trained, data.train.num_classes, device, shape, counts)
    optimizer = build_optimizer(config.optimizer, trained)
    steps = epoch_steps(config, len(data.train))
    records = Records(
        config, steps, model, trained, optimizer, store, log, reporter, trackers, observations, snapshots
    )
    finished, part = restart(config.hash, config.checkpoint_epochs, trained, optimizer, store, log, reporter)
    if observations and rank() == 0:
        observations.truncate_after(finished)
    examination = Examination(config, data, model, forward)
    watch, outcome = Watch(should_stop, config.logging.resume_minutes), FINISHED
    for epoch in range(finished + 1, config.optimizer.epochs + 1):
        course = Course(watch, partial(records.keep_part, epoch), part, device, observer)
        with explained_limits(config):
            row = run_epoch(config, epoch, data.train, forward, optimizer, store, course, examination)
        if row is None:
            outcome = STOPPED
            break
        records.keep_epoch(row, course.observed)
        watch.restart_clock()
        part = None
    watch.close()
    if outcome == FINISHED:
        records.settle()
    return outcome


def run_epoch(
    config: Config,
    epoch: int,
    split: Split,
    forward: Forward,
    optimizer: Optimizer,
    store: CheckpointStore,
    course: Course,
    examination: Examination,
) -> EpochRow | None:
    """Train (unless this is epoch 0, the initialisation), check, examine; None when stopped on the way."""
    steps, trained, rate = 0, EpochPart(), nan
    if epoch:
        steps = epoch_steps(config, len(split))
        if not train_epoch(config, epoch, split, forward, optimizer, course):
            return None
        trained = course.reach(steps)  # waits for the device: the clock is right
        check_losses(config, epoch, steps, trained.counts, store)
        rate = step_rate(config.optimizer, epoch, steps - 1, steps)
    results = examination.results(partial(course.pauses, steps))
    if results is None:
        return None
    row = _row(epoch, trained, results, rate)
    check_result(row, forward.model, store)
    return row


def train_epoch(
    config: Config,
    epoch: int,
    split: Split,
    forward: Forward,
    optimizer: Optimizer,
    course: Course | None = None,
) -> bool:
    """Go on to the end of one pass over the training samples, in the order of this epoch.

    Returns whether the end was reached: False when stopped on the way.
    """
    settings, course = config.optimizer, course or Course()
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    order, size = epoch_order(config, epoch, len(split)), config.data.batch_size
    steps, begin = epoch_steps(config, len(split)), course.begin
    batches = training_batches(config, epoch, split, order, begin.step)
    forward.model.train()
    with epoch_dropout(config, epoch, split.labels.device, begin.dropout):
        for step, (images, labels) in enumerate(batches, start=begin.step):
            if course.pauses(step):
                return False
            set_learning_rate(optimizer, step_rate(settings, epoch, step, steps))
            loss, logits = forward(images, labels)
            optimizer.zero_grad()
            share_of_loss(loss, len(labels), min(size, len(order) - step * size)).backward()  # type: ignore[no-untyped-call]
            norm = _clipped_norm(parameters, settings.clip_grad_norm, wanted=course.observer.wants_norm)
            optimizer.step()
            course.tally.add(loss, logits, labels)
            course.observer.end_step(norm)
    return True


def _clipped_norm(parameters: list[nn.Parameter], limit: float | None, *, wanted: bool) -> Tensor | None:
    """Shorten the gradient if there is a ``limit``; return its norm before, when that is known or wanted."""
    if limit:
        return nn.utils.clip_grad_norm_(parameters, limit)
    if not wanted:
        return None
    return nn.utils.get_total_norm([each.grad for each in parameters if each.grad is not None])


def _row(epoch: int, trained: EpochPart, results: Results, rate: float) -> EpochRow:
    counts, seconds = trained.counts, trained.seconds
    speed = counts.samples / seconds if seconds else nan
    tested, held = results["test"], results.get("validation")
    accuracy = results["train"].accuracy if "train" in results else counts.accuracy
    held_out = (held.loss, held.accuracy) if held else (None, None)
    measured = (counts.loss, accuracy, tested.loss, tested.accuracy)
    return EpochRow(epoch, *measured, rate, seconds, speed, *held_out)


def _check_processes(config: Config) -> None:
    if config.optimizer.objective == "contrastive" and world_size() > 1:
        raise UsageError(
            "Optimizer.objective: contrastive compares all images of a batch with each other, in one "
            f"process; this run has {world_size()}. Set Slurm.gpus-per-run: 1."
        )
    if config.data.batch_size < world_size():
        raise UsageError(
            f"Data.batch-size {config.data.batch_size} cannot be divided over {world_size()} processes; "
            "raise it, or lower Slurm.gpus-per-run."
        )
