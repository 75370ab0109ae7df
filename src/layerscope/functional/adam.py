"""Adam for a handful of tensors, without torch's optimizers, whose first step loads torch's compiler."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

DECAY_MEAN, DECAY_SQUARE, FLOOR = 0.9, 0.999, 1e-8


class Adam:
    """Adam with its usual constants (Kingma, Ba 2015, arXiv:1412.6980, algorithm 1).

    Parameters
    ----------
    parameters : sequence of Tensor
        Changed in place by every step.
    learning_rate : float
    """

    def __init__(self, parameters: Sequence[Tensor], learning_rate: float) -> None:
        self.parameters, self.learning_rate, self.steps = list(parameters), learning_rate, 0
        self.means = [torch.zeros_like(each) for each in self.parameters]
        self.squares = [torch.zeros_like(each) for each in self.parameters]

    def step(self, gradients: Sequence[Tensor]) -> None:
        """Move every parameter (one gradient each)."""
        self.steps += 1
        size = self.learning_rate / (1 - DECAY_MEAN**self.steps)
        correction = (1 - DECAY_SQUARE**self.steps) ** 0.5
        with torch.no_grad():
            for parameter, gradient, mean, square in zip(
                self.parameters, gradients, self.means, self.squares, strict=True
            ):
                mean.lerp_(gradient, 1 - DECAY_MEAN)
                square.mul_(DECAY_SQUARE).addcmul_(gradient, gradient, value=1 - DECAY_SQUARE)
                parameter.addcdiv_(mean, (square.sqrt() / correction).add_(FLOOR), value=-size)

    def only(self, places: Tensor, parameters: Sequence[Tensor]) -> Adam:
        """The same at the same point for parameters (m, …) that are these places of what is moved here."""
        other = Adam(parameters, self.learning_rate)
        other.steps = self.steps
        other.means, other.squares = ([each[places] for each in part] for part in (self.means, self.squares))
        return other
