"""Section ``Logging``: where results go, and which epochs are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from layerscope.config.fields import (
    AnyCase,
    AsTuple,
    Count,
    Expected,
    Flag,
    Location,
    NotNegative,
    OnceEach,
    OneOrMore,
    Positive,
    kebab_case,
)
from layerscope.config.sections.base import Section

_FIRST_EPOCHS = 10
"""``log-interval`` keeps every epoch up to this one: the beginning is where most happens."""

Epochs = Annotated[tuple[Count, ...], AsTuple, Expected("a list of whole numbers of at least 0")]
Tracker = Annotated[Literal["tensorboard", "wandb"], AnyCase]
Observation = Annotated[Literal["gradient-norm", "activations"], BeforeValidator(kebab_case)]
Observations = Annotated[tuple[Observation, ...], OneOrMore, OnceEach]
Trackers = Annotated[tuple[Tracker, ...], OneOrMore, OnceEach]


class LoggingConfig(Section):
    """Where results go, and which epochs are kept."""

    save_dir: Location = Field(description="The folder of the results")
    log_epochs: Epochs | None = Field(
        default=None,
        description="The epochs to keep and measure (0: before training); wins over log-interval",
    )
    log_interval: Positive = Field(
        default=10, description="Keep epochs 0 to 10 and then every n-th, when log-epochs is not set"
    )
    resume_minutes: NotNegative = Field(
        default=15.0,
        description="In epochs longer than this, save a point to resume from every so many minutes; "
        "0: only between epochs",
    )
    observe: Observations = Field(
        default=(),
        description="What to log of training itself: gradient-norm, activations (of Model.embedding-layers)",
    )
    observe_per: Annotated[Literal["epoch", "step"], AnyCase] = Field(
        default="epoch", description="Log that for every step, or for the steps of an epoch together"
    )
    keep_best: Flag = Field(
        default=False,
        description="Also keep and measure the epoch that is best on the validation split (Data.validation)",
    )
    trackers: Trackers = Field(
        default=("tensorboard",), description="Programs that show the course of training: tensorboard, wandb"
    )

    figures: Annotated[Literal["auto", "overview", "all"], AnyCase] = Field(
        default="auto",
        description="What the plot stage draws of every run: all figures, or the overview as one picture; "
        "auto: the overview for the runs of a matrix, all for a run of its own",
    )

    save_logits: Flag = Field(
        default=False, description="Save the logits of every kept epoch (logits/epoch_….safetensors)"
    )
    save_geometry: Flag = Field(
        default=False,
        description="Save class means, centres, decisions at the classifier (geometry/epoch_….safetensors)",
    )

    def wanted_epochs(self, last: int) -> tuple[int, ...]:
        """The epochs asked for in a training of ``last`` epochs, sorted; they may lie beyond ``last``."""
        if self.log_epochs is not None:
            return tuple(sorted(set(self.log_epochs)))
        first = range(min(_FIRST_EPOCHS, last) + 1)
        return tuple(sorted({*first, *range(0, last + 1, self.log_interval)}))
