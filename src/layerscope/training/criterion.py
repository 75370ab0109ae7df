"""From the config's Optimizer section and the class counts to a loss."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from layerscope.config import OptimizerConfig
from layerscope.errors import DataError
from layerscope.training.losses import (
    adjusted,
    celoss,
    cross_entropies,
    focal_losses,
    mseloss,
    squared_errors,
)

Loss = Callable[[Tensor, Tensor, int], Tensor]
SampleLosses = Callable[[Tensor, Tensor], Tensor]

LOSSES: dict[str, Loss] = {"mseloss": mseloss, "celoss": celoss}
"""Losses that need no more than their name."""

GAMMA, TAU = 2.0, 1.0
"""What is usual for focal loss, and what is consistent for logit adjustment."""


def build_loss(config: OptimizerConfig, counts: Tensor) -> Loss:
    """Return the mean loss over a batch; ``counts`` (K,) are the training samples of each class.

    With class weights w it is ``sum_i w_{y_i} l_i / B``: divided by the number of samples, so that it can be
    averaged over batches (torch divides by the sum of the weights instead).

    Raises
    ------
    DataError
        A class without training samples where its frequency is needed, or a wrong number of class weights.
    """
    if config.loss in LOSSES and not config.label_smoothing and config.class_weights is None:
        return LOSSES[config.loss]
    losses, weights = _sample_losses(config, counts), class_weights(config, counts)

    def loss(logits: Tensor, labels: Tensor, num_classes: int) -> Tensor:
        values = losses(logits, labels)
        return (values if weights is None else values * weights.to(logits)[labels]).mean()

    return loss


def class_weights(config: OptimizerConfig, counts: Tensor) -> Tensor | None:
    """Return the weights of the classes (K,), float64, or None: ``sum_c n_c w_c = N``.

    ``inverse``: in proportion to 1 / n_c; ``sqrt-inverse``: to its square root; a list: as it is, scaled.
    """
    if config.class_weights is None:
        return None
    if isinstance(config.class_weights, str):
        power = -1.0 if config.class_weights == "inverse" else -0.5
        weights = _all_present(config, "class-weights", counts).double() ** power
    else:
        weights = counts.new_tensor(config.class_weights, dtype=torch.float64)
    if wrong := config.wrong_class_weights(len(counts)):
        raise DataError(wrong)
    return weights * (counts.sum() / (weights @ counts.double()))


def _sample_losses(config: OptimizerConfig, counts: Tensor) -> SampleLosses:
    smoothing = config.label_smoothing
    if config.loss == "mseloss":
        return partial(squared_errors, smoothing=smoothing)
    if config.loss == "celoss":
        return partial(cross_entropies, smoothing=smoothing)
    if config.loss == "focal":
        return partial(focal_losses, gamma=GAMMA if config.gamma is None else config.gamma)
    present = _all_present(config, "loss", counts).double()
    log_priors = (present / present.sum()).log()
    tau = TAU if config.tau is None else config.tau

    def losses(logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropies(adjusted(logits, log_priors, tau), labels, smoothing)

    return losses


def _all_present(config: OptimizerConfig, key: str, counts: Tensor) -> Tensor:
    empty = (counts == 0).nonzero().flatten().tolist()
    if empty:
        value = getattr(config, key.replace("-", "_"))
        raise DataError(
            f"Optimizer.{key}: {value} needs the frequency of every class, but {len(empty)} of {len(counts)} "
            f"have no training sample, the first is class {empty[0]}. Choose another one, or more data."
        )
    return counts
