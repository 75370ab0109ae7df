"""Section ``Optimizer``: the loss, the steps, and how the learning rate runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from layerscope.config.fields import (
    AboveZero,
    AnyCase,
    AsTuple,
    BelowOne,
    Expected,
    Flag,
    NotNegative,
    Positive,
)
from layerscope.config.sections.base import Section

Betas = Annotated[
    tuple[BelowOne, BelowOne], AsTuple, Expected("a list of two numbers from 0 to below 1, as [0.9, 0.999]")
]
DecaySteps = Annotated[
    Positive | Annotated[tuple[Positive, ...], AsTuple],
    Expected("a whole number of at least 1, or a list of such epochs"),
]


class OptimizerConfig(Section):
    """The loss, the steps, and how the learning rate runs."""

    loss: Annotated[Literal["mseloss", "celoss"], AnyCase] = Field(
        default="mseloss", description="mseloss: squared error to one-hot labels; celoss: cross-entropy"
    )
    optimizer: Annotated[Literal["sgd", "adam", "adamw", "rmsprop"], AnyCase] = Field(
        default="sgd", description="The rule of the steps"
    )
    lr: AboveZero = Field(description="The learning rate after warm-up and before the first decay")
    weight_decay: NotNegative = Field(
        default=0.0, description="The weight of the squared norm of all parameters"
    )
    momentum: BelowOne = Field(default=0.9, description="Momentum of sgd and rmsprop")
    nesterov: Flag = Field(default=False, description="Nesterov's momentum (sgd only)")
    betas: Betas = Field(default=(0.9, 0.999), description="The two decay rates of adam and adamw")
    epochs: Positive = Field(description="Passes over the training data")
    schedule: Annotated[Literal["multistep", "cosine", "constant"], AnyCase] = Field(
        default="multistep",
        description="How the learning rate falls: in steps, as a cosine to 0, or not at all",
    )
    lr_decay: AboveZero = Field(default=0.1, description="multistep: the factor of one decay")
    lr_decay_steps: DecaySteps = Field(
        default=3,
        description="multistep: n divides training into n equal parts (n-1 decays); a list: the epochs",
    )
    warmup_epochs: NotNegative = Field(
        default=0.0, description="Epochs (a fraction counts) in which the learning rate rises linearly from 0"
    )
    clip_grad_norm: AboveZero | None = Field(
        default=None, description="Shorten gradients that are longer than this; not set: never"
    )
    autocast: Annotated[Literal["none", "bf16"], AnyCase] = Field(
        default="none", description="bf16: train in mixed precision"
    )
    channels_last: Flag = Field(default=False, description="Store images channels last (faster convolutions)")
    compile: Flag = Field(default=False, description="Compile the model before training")

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Momenta and epochs that contradict each other."""
        if self.nesterov and self.optimizer != "sgd":
            yield "nesterov", f"is only defined for sgd, not {self.optimizer}"
        elif self.nesterov and self.momentum == 0:
            yield "nesterov", "needs a momentum above 0"
        if self.warmup_epochs > self.epochs:
            yield "warmup-epochs", f"({self.warmup_epochs:g}) must not exceed epochs ({self.epochs})"
        if isinstance(self.lr_decay_steps, tuple):
            yield from self._decay_conflicts(self.lr_decay_steps)

    def _decay_conflicts(self, steps: tuple[int, ...]) -> Iterator[tuple[str, str]]:
        if any(later <= earlier for earlier, later in pairwise(steps)):
            yield "lr-decay-steps", f"must increase from epoch to epoch, unlike {list(steps)}"
        if late := [step for step in steps if step >= self.epochs]:
            yield (
                "lr-decay-steps",
                f"must lie before the end of training (epochs: {self.epochs}), unlike {late}",
            )
