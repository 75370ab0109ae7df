"""Section ``Optimizer``: the loss, the steps, and how the learning rate runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from layerscope.config.fields import (
    AboveZero,
    AnyCase,
    AsTuple,
    BelowOne,
    Expected,
    Flag,
    NotNegative,
    Positive,
    kebab_case,
)
from layerscope.config.sections.base import Section
from layerscope.config.sections.lr_groups import LrGroups

Betas = Annotated[
    tuple[BelowOne, BelowOne], AsTuple, Expected("a list of two numbers from 0 to below 1, as [0.9, 0.999]")
]
DecaySteps = Annotated[
    Positive | Annotated[tuple[Positive, ...], AsTuple],
    Expected("a whole number of at least 1, or a list of such epochs"),
]


LossName = Literal["mseloss", "celoss", "focal", "logit-adjustment", "balanced-softmax"]
ClassWeights = Annotated[
    Annotated[Literal["inverse", "sqrt-inverse"], BeforeValidator(kebab_case)]
    | Annotated[tuple[AboveZero, ...], AsTuple],
    Expected("inverse, sqrt-inverse, or a list of numbers above 0, one for each class"),
]


class OptimizerConfig(Section):
    """The loss, the steps, and how the learning rate runs."""

    objective: Annotated[Literal["supervised", "contrastive", "reconstruction"], AnyCase] = Field(
        default="supervised",
        description="What is learnt from: labels; two views of every image (SimCLR); or the images that an "
        "autoencoder makes. Without labels, accuracy is that of a linear probe",
    )
    temperature: AboveZero | None = Field(
        default=None, description="contrastive: what similarities are divided by; not set: 0.5"
    )
    projection_dim: Positive | None = Field(
        default=None, description="contrastive: dimensions in which views are compared; not set: 128"
    )
    loss: Annotated[LossName, BeforeValidator(kebab_case)] = Field(
        default="mseloss",
        description="mseloss: squared error to one-hot labels; celoss: cross-entropy; focal; "
        "logit-adjustment and balanced-softmax: cross-entropy that knows how frequent the classes are",
    )
    gamma: NotNegative | None = Field(
        default=None, description="focal: how much less easy samples count; not set: 2"
    )
    tau: NotNegative | None = Field(
        default=None, description="logit-adjustment: the weight of the log frequencies; not set: 1"
    )
    label_smoothing: BelowOne = Field(
        default=0.0, description="The share of a label that is spread evenly over all classes"
    )
    class_weights: ClassWeights | None = Field(
        default=None,
        description="How much samples of a class count: inverse (to its size), sqrt-inverse, or a number "
        "for each class; scaled to mean 1 over the training samples",
    )
    drift_penalty: NotNegative = Field(
        default=0.0, description="The weight of the squared norm of the batch mean of the last features"
    )
    optimizer: Annotated[Literal["sgd", "adam", "adamw", "rmsprop"], AnyCase] = Field(
        default="sgd", description="The rule of the steps"
    )
    lr: AboveZero = Field(description="The learning rate after warm-up and before the first decay")
    weight_decay: NotNegative = Field(
        default=0.0, description="The weight of the squared norm of all parameters"
    )
    decay: Annotated[Literal["all", "weights"], AnyCase] = Field(
        default="all",
        description="What weight-decay applies to: all parameters, or all but biases and normalisations",
    )
    lr_groups: LrGroups = Field(
        default=(),
        description="Modules (and all below them) with a learning rate of their own: the end of the dotted "
        "name, with ^ before it, and a multiple of lr, as {^fc: 0.1}",
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

    def wrong_class_weights(self, classes: int) -> str:
        """Why ``class_weights`` does not fit data of so many classes; "" when it does."""
        given = self.class_weights
        if given is None or isinstance(given, str) or len(given) == classes:
            return ""
        return (
            f"Optimizer.class-weights has {len(given)} numbers, but the data has {classes} classes. "
            "Give one for each class."
        )

    def conflicts(self) -> Iterator[tuple[str, str]]:
        """Momenta and epochs that contradict each other."""
        if self.nesterov and self.optimizer != "sgd":
            yield "nesterov", f"is only defined for sgd, not {self.optimizer}"
        elif self.nesterov and self.momentum == 0:
            yield "nesterov", "needs a momentum above 0"
        if self.warmup_epochs > self.epochs:
            yield "warmup-epochs", f"({self.warmup_epochs:g}) must not exceed epochs ({self.epochs})"
        yield from self._loss_conflicts()
        yield from self._objective_conflicts()
        if isinstance(self.lr_decay_steps, tuple):
            yield from self._decay_conflicts(self.lr_decay_steps)

    def _loss_conflicts(self) -> Iterator[tuple[str, str]]:
        for key, value, owner in (("gamma", self.gamma, "focal"), ("tau", self.tau, "logit-adjustment")):
            if value is not None and self.loss != owner:
                yield key, f"means nothing for loss: {self.loss}; it is for {owner}"
        if self.label_smoothing and self.loss == "focal":
            yield "label-smoothing", "is not defined for loss: focal, which has one true class"

    def _objective_conflicts(self) -> Iterator[tuple[str, str]]:
        own = (("temperature", self.temperature), ("projection-dim", self.projection_dim))
        if self.objective != "contrastive":
            for key, value in own:
                if value is not None:
                    yield key, f"means nothing for objective: {self.objective}; it is for contrastive"
        if self.objective == "supervised":
            return
        of_labels = {
            "label-smoothing": self.label_smoothing,
            "class-weights": self.class_weights,
            "drift-penalty": self.drift_penalty,
        }
        for key in (key for key, setting in of_labels.items() if setting):
            yield key, f"means nothing for objective: {self.objective}, which knows no labels"
        if self.compile:
            yield "compile", f"is not supported with objective: {self.objective}; only with supervised"

    def _decay_conflicts(self, steps: tuple[int, ...]) -> Iterator[tuple[str, str]]:
        if any(later <= earlier for earlier, later in pairwise(steps)):
            yield "lr-decay-steps", f"must increase from epoch to epoch, unlike {list(steps)}"
        if late := [step for step in steps if step >= self.epochs]:
            yield (
                "lr-decay-steps",
                f"must lie before the end of training (epochs: {self.epochs}), unlike {late}",
            )
