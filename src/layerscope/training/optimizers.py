"""Optimizers by name, in their fused form where the device has one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from layerscope.config import OptimizerConfig
from layerscope.training.parameter_groups import parameter_groups

logger = logging.getLogger(__name__)

Builder = Callable[..., Optimizer]


def _sgd(config: OptimizerConfig) -> dict[str, Any]:
    return {"momentum": config.momentum, "nesterov": config.nesterov}


def _adam(config: OptimizerConfig) -> dict[str, Any]:
    return {"betas": tuple(config.betas)}


def _rmsprop(config: OptimizerConfig) -> dict[str, Any]:
    return {"momentum": config.momentum}


OPTIMIZERS: dict[str, tuple[Builder, Callable[[OptimizerConfig], dict[str, Any]]]] = {
    "sgd": (torch.optim.SGD, _sgd),
    "adam": (torch.optim.Adam, _adam),
    "adamw": (torch.optim.AdamW, _adam),
    "rmsprop": (torch.optim.RMSprop, _rmsprop),
}


def build_optimizer(config: OptimizerConfig, model: nn.Module) -> Optimizer:
    """Return the config's optimizer over all trainable parameters of ``model``, already on its device.

    Raises
    ------
    ModelError
        Nothing in the model can be trained.
    """
    parameters = parameter_groups(config, model)
    build, own_settings = OPTIMIZERS[config.optimizer]
    settings = {"lr": config.lr, "weight_decay": config.weight_decay, **own_settings(config)}
    try:
        return build(parameters, fused=True, **settings)
    except (
        TypeError,
        RuntimeError,
        ValueError,
    ) as error:  # no fused form: this optimizer, device or torch version
        logger.debug("no fused %s on this device with this torch: %s", config.optimizer, error)
        return build(parameters, **settings)


def set_learning_rate(optimizer: Optimizer, rate: float) -> None:
    """Use ``rate`` from the next step on, or each group's multiple of it."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("lr_factor", 1.0)


def restore_state(optimizer: Optimizer, state: dict[int, Any]) -> None:
    """Put the momenta of a resume point back; hyper-parameters stay those of config and device."""
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
