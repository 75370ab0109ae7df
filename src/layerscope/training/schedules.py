"""The learning rate as a pure function of training time: nothing to save, nothing to restore."""

from __future__ import annotations

import math
from collections.abc import Callable

from layerscope.config import OptimizerConfig


def learning_rate(config: OptimizerConfig, epoch: float, step: float = 0.0) -> float:
    """Return the learning rate of the step that begins at time ``epoch``.

    Formula: ``lr * min(1, (epoch + step) / warmup) * factor(epoch)``.

    Parameters
    ----------
    epoch
        Completed epochs, with the fraction of the running one.
    step
        Length of a step in epochs. Warm-up counts the step itself: it begins at lr / (its steps), not at 0.
    """
    return config.lr * _warmup(config, epoch + step) * SCHEDULES[config.schedule](config, epoch)


def step_rate(config: OptimizerConfig, epoch: int, step: int, steps: int) -> float:
    """Return the learning rate of step ``step`` (from 0) of the ``steps`` of an epoch (from 1)."""
    length = 1 / steps
    return learning_rate(config, epoch - 1 + step * length, length)


def milestones(config: OptimizerConfig) -> list[int]:
    """Return the epochs after which ``multistep`` decays: n equal parts of training, or the list as it is."""
    parts = config.lr_decay_steps
    if isinstance(parts, int):
        return sorted({i * config.epochs // parts for i in range(1, parts)} - {0})
    return list(parts)


def _multistep(config: OptimizerConfig, epoch: float) -> float:
    return config.lr_decay ** sum(epoch >= milestone for milestone in milestones(config))


def _cosine(config: OptimizerConfig, epoch: float) -> float:
    """Half a cosine from 1 at the end of warm-up to 0 at the end of training."""
    after_warmup = max(epoch - config.warmup_epochs, 0.0)
    length = max(config.epochs - config.warmup_epochs, 1e-9)
    return (1 + math.cos(math.pi * min(after_warmup / length, 1.0))) / 2


def _constant(config: OptimizerConfig, epoch: float) -> float:
    return 1.0


def _warmup(config: OptimizerConfig, epoch: float) -> float:
    return min(1.0, epoch / config.warmup_epochs) if config.warmup_epochs else 1.0


SCHEDULES: dict[str, Callable[[OptimizerConfig, float], float]] = {
    "multistep": _multistep,
    "cosine": _cosine,
    "constant": _constant,
}
