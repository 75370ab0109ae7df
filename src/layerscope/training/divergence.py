"""Stops a run whose numbers are no longer numbers, before it overwrites anything good."""

from __future__ import annotations

import math

import torch
from torch import nn

from layerscope.config import Config
from layerscope.errors import TrainingDiverged
from layerscope.training.checkpoints import CheckpointStore
from layerscope.training.log import EpochRow
from layerscope.training.schedules import step_rate
from layerscope.training.tally import Counts


def check_losses(config: Config, epoch: int, steps: int, trained: Counts, store: CheckpointStore) -> None:
    """Raise :class:`TrainingDiverged` for the first step (of ``steps``) whose loss is not finite."""
    broken = (~trained.losses.isfinite()).nonzero()
    if not len(broken):
        return
    step = int(broken[0])
    rate = step_rate(config.optimizer, epoch, step, steps)
    raise TrainingDiverged(
        f"epoch {epoch}, step {step + 1} of {steps} (batch of {int(trained.sizes[step])}): "
        f"the loss is {float(trained.losses[step])} at lr {rate:g}. {_advice(store)}"
    )


def check_result(row: EpochRow, model: nn.Module, store: CheckpointStore) -> None:
    """Raise :class:`TrainingDiverged` when an epoch ended with weights or a loss that are not finite.

    The last update of an epoch has no training loss that could tell.
    """
    broken = [name for name, tensor in model.named_parameters() if not torch.isfinite(tensor).all()]
    if broken:
        what = f"{len(broken)} of the model's parameters are not finite, the first is {broken[0]}"
    elif not math.isfinite(row.test_loss):
        what = f"the test loss is {row.test_loss}"
    elif row.validation_loss is not None and not math.isfinite(row.validation_loss):
        what = f"the validation loss is {row.validation_loss}"
    else:
        return
    when = f"after its last step, at lr {row.lr:g}" if row.epoch else "before the first step"
    raise TrainingDiverged(f"epoch {row.epoch}, {when}: {what}. {_advice(store)}")


def _advice(store: CheckpointStore) -> str:
    path = store.last_good()
    kept = f"The last good checkpoint is {path}" if path else "No checkpoint has been saved"
    return f"{kept}. Lower Optimizer.lr or set Optimizer.clip-grad-norm."
