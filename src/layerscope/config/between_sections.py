"""Values of different sections that do not go together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from layerscope.config.own_models import own_family

if TYPE_CHECKING:
    from layerscope.config.config import Config

Conflict = tuple[str, str]
"""``Section.key``, and the rest of a sentence about it."""


def conflicts_between(config: Config) -> Iterator[Conflict]:
    """Everything that a key asks for and another section does not give."""
    yield from _validation_conflicts(config)
    yield from _objective_conflicts(config)
    if config.optimizer.compile and "activations" in config.logging.observe:
        yield (
            "Logging.observe",
            "cannot see the activations of a compiled model; set Optimizer.compile to False",
        )


def _validation_conflicts(config: Config) -> Iterator[Conflict]:
    if config.data.validation:
        return
    remedy = "set Data.validation to the share of the training samples to hold out, such as 0.1"
    if config.logging.keep_best:
        yield "Logging.keep-best", f"needs a validation split, as nothing is chosen on test data; {remedy}"
    if "validation" in config.measurements.splits:
        yield "Measurements.splits", f"has validation, but there is no such split; {remedy}"


def _objective_conflicts(config: Config) -> Iterator[Conflict]:
    objective = config.optimizer.objective
    if config.data.view_area is not None and objective != "contrastive":
        yield "Data.view-area", f"means nothing for objective: {objective}; it is for contrastive"
    autoencoder = own_family(config.model.model_name) == "ae"
    if autoencoder and objective == "supervised":
        yield (
            "Model.model-name",
            "ae learns to reconstruct images: set Optimizer.objective to reconstruction; aec is the same "
            "encoder with a classifier",
        )
    jobs = (config.slurm.gpus_per_run, config.slurm.train.gpus_per_run)
    if objective == "contrastive" and any((count or 0) > 1 for count in jobs):
        yield (
            "Optimizer.objective",
            "contrastive compares all images of a batch with each other in one process; set "
            "Slurm.gpus-per-run to 1",
        )
